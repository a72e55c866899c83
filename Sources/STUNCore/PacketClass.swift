/// What a datagram's first byte says that it is (RFC 7983 §7).
public enum PacketClass: Hashable, Sendable, BitwiseCopyable {
    case stun, zrtp, dtls, channelData, rtp, other

    /// The class of a datagram that begins with `firstByte`.
    @inlinable
    public init(firstByte: UInt8) {
        switch firstByte {
        case 0...3: self = .stun
        case 16...19: self = .zrtp
        case 20...63: self = .dtls
        case 64...79: self = .channelData
        case 128...191: self = .rtp
        default: self = .other
        }
    }
}
