/// How fast may be relayed. Payload counts, without headers, what goes to peers and what comes from them together.
public struct BandwidthLimits: Sendable, Hashable {
    /// Bytes a second of one allocation; zero means no limit (`TURN_MAX_BPS`).
    public var perAllocation = 0
    /// Bytes a second of the server; zero means no limit (`TURN_TOTAL_BPS`).
    public var total = 0

    /// No limits.
    public init() {}

    /// A burst is a second's worth, and no less than this: a rate below the size of a datagram would let none through
    /// for ever.
    static let smallestBurst = UInt64(RelayShard.Bounds.slotBytes)
}
