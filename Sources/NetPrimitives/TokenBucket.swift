/// A rate limit: `rate` tokens a second, at most `burst` of them saved up. Time comes as an argument.
@frozen
public struct TokenBucket: Hashable, Sendable, BitwiseCopyable {
    /// Tokens that come in a second.
    public let rate: UInt64
    /// The most tokens that are kept.
    public let burst: UInt64
    @usableFromInline var tokens: UInt64
    /// Tokens × nanoseconds that did not yet make a whole token; below one second's nanoseconds.
    @usableFromInline var fraction: UInt64
    @usableFromInline var updated: Instant

    /// A full bucket.
    @inlinable
    public init(rate: UInt64, burst: UInt64, now: Instant) {
        self.rate = rate
        self.burst = burst
        tokens = burst
        fraction = 0
        updated = now
    }

    /// Takes `cost` tokens if there are so many; answers whether there were. Takes nothing otherwise.
    @inlinable
    public mutating func take(_ cost: UInt64 = 1, now: Instant) -> Bool {
        refill(now: now)
        guard tokens >= cost else { return false }
        tokens &-= cost
        return true
    }

    /// How many tokens there are at `now`.
    @inlinable
    public func available(now: Instant) -> UInt64 {
        var copy = self
        copy.refill(now: now)
        return copy.tokens
    }

    /// Adds what came since the last time. A clock that went back adds nothing.
    @inlinable
    mutating func refill(now: Instant) {
        guard now > updated else { return }
        let elapsed = now.nanoseconds &- updated.nanoseconds
        updated = now
        let product = elapsed.multipliedFullWidth(by: rate)
        let (low, carry) = product.low.addingReportingOverflow(fraction)
        let high = product.high &+ (carry ? 1 : 0)
        guard high < 1_000_000_000 else { return fill() }
        let (gained, rest) = UInt64(1_000_000_000).dividingFullWidth((high, low))
        let (sum, overflow) = tokens.addingReportingOverflow(gained)
        guard !overflow, sum < burst else { return fill() }
        tokens = sum
        fraction = rest
    }

    @inlinable
    mutating func fill() {
        tokens = burst
        fraction = 0
    }
}
