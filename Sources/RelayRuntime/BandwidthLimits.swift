import NetPrimitives

/// How fast may be relayed, to peers and from them together: the payload and, of the datagram it leaves in, the IP and
/// UDP headers. Without those, empty and tiny payloads would cost next to nothing, however many they are.
public struct BandwidthLimits: Sendable, Hashable {
    /// Bytes a second of one allocation; zero means no limit (`TURN_MAX_BPS`).
    public var perAllocation = 0
    /// Bytes a second of the server; zero means no limit (`TURN_TOTAL_BPS`).
    public var total = 0

    /// No limits.
    public init() {}

    /// A burst is a second's worth, and no less than this: a rate below the size of a datagram would let none through
    /// for ever.
    static let smallestBurst = cost(payload: RelayShard.Bounds.datagramBytes, over: .ipv6)

    /// What a datagram of so many bytes of payload takes: IPv4 headers have 20 bytes, IPv6 headers 40, UDP headers 8.
    static func cost(payload bytes: Int, over family: IPAddress.Family) -> UInt64 {
        UInt64(truncatingIfNeeded: bytes) &+ (family == .ipv4 ? 28 : 48)
    }
}
