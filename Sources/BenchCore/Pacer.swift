public import NetPrimitives

/// An open-loop schedule: when each thing is due, whatever became of those before it.
public struct Pacer: Hashable, Sendable, BitwiseCopyable {
    /// Things a second, as bursts or events.
    public let perSecond: Double
    /// When the first is due.
    public let start: Instant

    /// A schedule that begins at `start`; `perSecond` is more than 0.
    public init(perSecond: Double, start: Instant) {
        precondition(perSecond > 0, "a load of nothing has no schedule")
        self.perSecond = perSecond
        self.start = start
    }

    /// How many are due by `now`.
    public func dueCount(at now: Instant) -> Int {
        guard now >= start else { return 0 }
        return Int(Double(now.nanoseconds &- start.nanoseconds) * perSecond / 1e9) + 1
    }

    /// When the one of this index is due.
    public func due(_ index: Int) -> Instant {
        Instant(nanoseconds: start.nanoseconds &+ UInt64(Double(index) * 1e9 / perSecond))
    }
}
