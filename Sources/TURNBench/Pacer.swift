public import NetPrimitives

/// An open-loop schedule: when each burst is due, whatever became of those before it.
public struct Pacer: Hashable, Sendable, BitwiseCopyable {
    /// Bursts a second.
    public let burstsPerSecond: Double
    /// When the first burst is due.
    public let start: Instant

    /// A schedule that begins at `start`; `burstsPerSecond` is more than 0.
    public init(burstsPerSecond: Double, start: Instant) {
        precondition(burstsPerSecond > 0, "a load of nothing has no schedule")
        self.burstsPerSecond = burstsPerSecond
        self.start = start
    }

    /// How many bursts are due by `now`.
    public func dueCount(at now: Instant) -> Int {
        guard now >= start else { return 0 }
        return Int(Double(now.nanoseconds &- start.nanoseconds) * burstsPerSecond / 1e9) + 1
    }

    /// When the `index`th burst is due.
    public func due(_ index: Int) -> Instant {
        Instant(nanoseconds: start.nanoseconds &+ UInt64(Double(index) * 1e9 / burstsPerSecond))
    }
}
