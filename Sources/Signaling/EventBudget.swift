public import NetPrimitives

/// How many events one socket may still send: one number, the time until which its allowance is used up.
///
/// Ten periods' worth may come at once, so that the candidates of a large call are no reason to refuse any. Refused events
/// count too: who goes on as before is refused for good, and cut once another ten periods' worth was refused.
public struct EventBudget: Hashable, Sendable {
    /// What becomes of an event.
    public enum Verdict: Hashable, Sendable {
        /// It is worked on.
        case admitted
        /// It is not; one sent after so many milliseconds will be, if none is sent before.
        case refused(retryAfterMilliseconds: Int)
        /// It is not, and the connection ends.
        case exhausted
    }

    /// Periods whose worth may come at once.
    public static let burstPeriods: Int64 = 10

    /// Nanoseconds that one event uses up.
    private let interval: Int64
    /// Nanoseconds that may be used up in advance.
    private let burst: Int64
    private var usedUntil: Int64

    /// An unused allowance of `count` events, at least one, in each period, which is taken as 1 to 1,000,000,000
    /// milliseconds.
    public init(count: Int, periodMilliseconds: Int64, now: Instant) {
        let period = min(max(periodMilliseconds, 1), 1_000_000_000) * 1_000_000
        interval = max(period / Int64(max(count, 1)), 1)
        burst = period * Self.burstPeriods
        usedUntil = Int64(clamping: now.nanoseconds)
    }

    /// Counts one event.
    public mutating func spend(at now: Instant) -> Verdict {
        let now = Int64(clamping: now.nanoseconds)
        // Never further ahead than the end of what may be refused: nothing here overflows.
        usedUntil = min(max(usedUntil, now) + interval, now + 2 * burst + interval)
        let excess = usedUntil - now - burst
        if excess <= 0 { return .admitted }
        guard excess <= burst else { return .exhausted }
        return .refused(retryAfterMilliseconds: Int((excess + interval + 999_999) / 1_000_000))
    }
}
