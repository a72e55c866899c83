internal import NetPrimitives

/// The attributes of a Send indication that matter, found without building a message.
struct SendIndication: BitwiseCopyable {
    /// Method Send, class indication (RFC 8656 §17).
    static let messageType: UInt16 = 0x0016

    let peer: Endpoint
    let dataOffset: UInt16
    let dataCount: UInt16
    /// Whether DONT-FRAGMENT is there (RFC 8656 §18.9).
    let dontFragment: Bool
    /// Where FINGERPRINT stands; zero if it is missing.
    let fingerprintOffset: UInt16

    /// Outcome of a scan. A message is not relayed on anything less than the RFC asks for, and never answered.
    enum Scan: BitwiseCopyable {
        case found(SendIndication)
        case drop(DropReason)
    }

    static let magicCookie: UInt32 = 0x2112_A442

    /// Walks the attributes of a datagram whose first two bytes are `messageType`.
    ///
    /// The first attribute of its type counts, as RFC 8489 §14 says of doubles. What follows an integrity
    /// attribute or FINGERPRINT is not looked at, only its framing. FINGERPRINT's place is noted, not its value: that
    /// costs a walk over the payload, which a sender without allocation or permission is not worth.
    static func scan(_ bytes: RawSpan) -> Scan {
        guard
            let length = bytes.uint16(at: 2),
            bytes.uint32(at: 4) == magicCookie,
            length & 3 == 0,
            Int(length) &+ 20 == bytes.byteCount
        else { return .drop(.malformedMessage) }

        var peer: Endpoint?
        var dataOffset: Int?
        var dataCount: UInt16 = 0
        var offset = 20
        var dontFragment = false
        var fingerprintOffset = 0
        var isVisible = true
        while offset < bytes.byteCount {
            guard let type = bytes.uint16(at: offset), let count = bytes.uint16(at: offset &+ 2) else {
                return .drop(.malformedMessage)
            }
            let value = offset &+ 4
            let end = value &+ (Int(count) &+ 3) & ~3
            guard end <= bytes.byteCount else { return .drop(.malformedMessage) }
            if type == 0x8028, fingerprintOffset == 0 { fingerprintOffset = offset }
            offset = end
            switch type {
            case _ where !isVisible: break
            case 0x0008, 0x001C, 0x8028:
                isVisible = false
            case 0x001A where !dontFragment:
                guard count == 0 else { return .drop(.malformedIndication) }
                dontFragment = true
            case 0x0012 where peer == nil:
                guard let address = peerAddress(bytes, at: value, count: count) else {
                    return .drop(.malformedIndication)
                }
                peer = address
            case 0x0013 where dataOffset == nil:
                dataOffset = value
                dataCount = count
            default:
                guard type >= 0x8000 || isUnderstood(type) else { return .drop(.unknownAttribute) }
            }
        }
        guard let peer, let dataOffset, peer.port != 0 else { return .drop(.malformedIndication) }
        return .found(
            SendIndication(
                peer: peer,
                dataOffset: UInt16(truncatingIfNeeded: dataOffset),
                dataCount: dataCount,
                dontFragment: dontFragment,
                fingerprintOffset: UInt16(truncatingIfNeeded: fingerprintOffset)
            )
        )
    }
}
