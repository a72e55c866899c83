/// For how long what a homeserver said is taken as true without asking again.
public struct Patience: Sendable {
    /// A token or a membership that is good. What ends it, a log-out or a kick, is noticed after so long at the latest.
    public var good = Duration.seconds(30)
    /// A token that is not good; it will never be.
    public var badToken = Duration.seconds(5)
    /// A membership that is not there; it may be, at any moment.
    public var noMember = Duration.seconds(1)
    /// While the homeserver does not answer: a token or a membership that was good when it last did, counted from then.
    public var unanswered = Duration.seconds(300)
    /// While the homeserver does not answer: from one question to the next about the same thing.
    public var pause = Duration.seconds(3)

    /// The times that docs/matrix.md tells.
    public init() {}
}

/// Something that a homeserver said, and when to ask again.
struct Known<Value: Sendable>: Sendable {
    let value: Value
    let saidAt: ContinuousClock.Instant
    var isTrueUntil: ContinuousClock.Instant

    init(_ value: Value, at now: ContinuousClock.Instant, for time: Duration) {
        self.value = value
        saidAt = now
        isTrueUntil = now + time
    }

    /// The value, if it need not be asked for.
    func fresh(at now: ContinuousClock.Instant) -> Value? { now < isTrueUntil ? value : nil }

    /// The same, after the homeserver did not answer; `nil` if that has been so for too long.
    func goingOn(at now: ContinuousClock.Instant, _ patience: Patience) -> Known? {
        let end = saidAt + patience.unanswered
        guard now < end else { return nil }
        var known = self
        known.isTrueUntil = min(now + patience.pause, end)
        return known
    }
}
