public import NetPrimitives
public import STUNCore

/// What has to surround a payload on its way out. Pure data and pure arithmetic; the payload itself is never touched.
public enum Framing: Hashable, Sendable, BitwiseCopyable {
    /// Nothing: towards a peer the payload is the datagram.
    case raw
    /// The four-byte ChannelData header (RFC 8656 §12.4), without padding, as UDP needs none.
    case channelData(UInt16)
    /// A Data indication with XOR-PEER-ADDRESS and DATA (RFC 8656 §11.3).
    case dataIndication(peer: Endpoint)

    /// The longest header that `writeHeader` produces, in bytes.
    public static let longestHeaderByteCount = 48

    /// Whether the header is that of a STUN message, which has a transaction ID of its own.
    @inlinable
    public var isIndication: Bool {
        switch self {
        case .raw, .channelData: false
        case .dataIndication: true
        }
    }

    /// Length of the header that goes before the payload, in bytes.
    @inlinable
    public var headerByteCount: Int {
        switch self {
        case .raw: 0
        case .channelData: 4
        case .dataIndication(let peer): peer.address.family == .ipv4 ? 36 : 48
        }
    }

    /// Number of zero bytes that go after a payload of `payloadByteCount` bytes: 0 to 3.
    @inlinable
    public func paddingByteCount(payloadByteCount: Int) -> Int {
        switch self {
        case .raw, .channelData: 0
        case .dataIndication: (4 &- (payloadByteCount & 3)) & 3
        }
    }

    /// Writes the header for a payload of `payloadByteCount` bytes to the start of `scratch`.
    ///
    /// `transaction` stands in the header where `isIndication`: each time another one, and a random one, as RFC 8489 §5
    /// wants it of indications too. The caller owns the size of `scratch` (`longestHeaderByteCount` always suffices) and
    /// keeps the whole message within 65,535 bytes, as `TURNShard`'s verdicts do.
    ///
    /// - Returns: the header's length in bytes.
    public func writeHeader(
        payloadByteCount: Int,
        transaction: TransactionID,
        into scratch: inout MutableRawSpan
    ) -> Int {
        switch self {
        case .raw:
            return 0
        case .channelData(let channel):
            let word = UInt32(channel) << 16 | UInt32(truncatingIfNeeded: payloadByteCount) & 0xFFFF
            scratch.storeBytes(of: word.bigEndian, toByteOffset: 0, as: UInt32.self)
            return 4
        case .dataIndication(let peer):
            return Self.writeDataIndication(
                peer: peer,
                payloadByteCount: payloadByteCount,
                transaction: transaction,
                into: &scratch
            )
        }
    }

    private static func writeDataIndication(
        peer: Endpoint,
        payloadByteCount: Int,
        transaction: TransactionID,
        into scratch: inout MutableRawSpan
    ) -> Int {
        let magicCookie: UInt32 = 0x2112_A442
        let isIPv4 = peer.address.family == .ipv4
        let addressByteCount: UInt32 = isIPv4 ? 8 : 20
        let padded = UInt32(truncatingIfNeeded: payloadByteCount &+ 3) & ~3
        let messageByteCount = 4 &+ addressByteCount &+ 4 &+ padded

        // Type 0x0017: method Data, class indication.
        scratch.storeBytes(of: (0x0017_0000 | messageByteCount & 0xFFFF).bigEndian, toByteOffset: 0, as: UInt32.self)
        scratch.storeBytes(of: magicCookie.bigEndian, toByteOffset: 4, as: UInt32.self)
        scratch.storeBytes(of: transaction.high.bigEndian, toByteOffset: 8, as: UInt32.self)
        scratch.storeBytes(of: transaction.low.bigEndian, toByteOffset: 12, as: UInt64.self)

        // XOR-PEER-ADDRESS, 0x0012.
        scratch.storeBytes(of: (0x0012_0000 | addressByteCount).bigEndian, toByteOffset: 20, as: UInt32.self)
        let port = UInt32(peer.port ^ UInt16(truncatingIfNeeded: magicCookie >> 16))
        let family = UInt32(peer.address.family.rawValue)
        scratch.storeBytes(of: (family << 16 | port).bigEndian, toByteOffset: 24, as: UInt32.self)
        var offset = 28
        if isIPv4 {
            scratch.storeBytes(of: (peer.address.ipv4Bits ^ magicCookie).bigEndian, toByteOffset: 28, as: UInt32.self)
            offset = 32
        } else {
            let highMask = UInt64(magicCookie) << 32 | UInt64(transaction.high)
            scratch.storeBytes(of: (peer.address.high ^ highMask).bigEndian, toByteOffset: 28, as: UInt64.self)
            scratch.storeBytes(of: (peer.address.low ^ transaction.low).bigEndian, toByteOffset: 36, as: UInt64.self)
            offset = 44
        }

        // DATA, 0x0013, whose length excludes the padding.
        let dataWord = 0x0013_0000 | UInt32(truncatingIfNeeded: payloadByteCount) & 0xFFFF
        scratch.storeBytes(of: dataWord.bigEndian, toByteOffset: offset, as: UInt32.self)
        return offset &+ 4
    }
}
