internal import NetPrimitives
internal import STUNCore

extension SendIndication {
    /// XOR-PEER-ADDRESS (RFC 8489 §14.2, RFC 8656 §18.3), nil if family and length do not fit each other.
    static func peerAddress(_ bytes: RawSpan, at offset: Int, count: UInt16) -> Endpoint? {
        guard let family = bytes.uint8(at: offset &+ 1), let xoredPort = bytes.uint16(at: offset &+ 2) else {
            return nil
        }
        let port = xoredPort ^ 0x2112
        switch (family, count) {
        case (IPAddress.Family.ipv4.rawValue, 8):
            guard let xored = bytes.uint32(at: offset &+ 4) else { return nil }
            return Endpoint(address: IPAddress(ipv4: xored ^ magicCookie), port: port)
        case (IPAddress.Family.ipv6.rawValue, 20):
            guard
                let high = bytes.uint64(at: offset &+ 4),
                let low = bytes.uint64(at: offset &+ 12),
                // Magic cookie and transaction ID stand side by side in the header, as the mask needs them.
                let highMask = bytes.uint64(at: 4),
                let lowMask = bytes.uint64(at: 12)
            else { return nil }
            return Endpoint(address: IPAddress(ipv6High: high ^ highMask, low: low ^ lowMask), port: port)
        default:
            return nil
        }
    }

    /// Whether FINGERPRINT, if the message has one, is right and stands last (RFC 8489 §7, §14.7).
    func hasRightFingerprint(in bytes: RawSpan) -> Bool {
        fingerprintOffset == 0 || Fingerprint.isRight(in: bytes, at: Int(fingerprintOffset))
    }

    /// Whether a comprehension-required attribute without meaning in a Send indication is at least one that this server
    /// knows.
    static func isUnderstood(_ type: UInt16) -> Bool {
        switch type {
        case 0x0001, 0x0006, 0x0009, 0x000A, 0x000C, 0x000D, 0x0012, 0x0013, 0x0014, 0x0015, 0x0016, 0x0017, 0x0018,
            0x0019, 0x001A, 0x001D, 0x001E, 0x0020, 0x0022:
            true
        default:
            false
        }
    }
}
