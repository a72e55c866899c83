/// When a connection may be tried for again: soon after the first failure, later and later after more, and not by all
/// nodes at once.
struct Backoff {
    /// After the first failure.
    static let shortest = Duration.milliseconds(100)
    /// After many.
    static let longest = Duration.seconds(5)

    private var failures = 0
    private(set) var retryAt: ContinuousClock.Instant?

    /// Whether it is too early to try.
    func holds(at now: ContinuousClock.Instant) -> Bool {
        retryAt.map { now < $0 } ?? false
    }

    /// A try failed.
    mutating func failed(at now: ContinuousClock.Instant, using generator: inout some RandomNumberGenerator) {
        let delay = min(Self.longest, Self.shortest * (1 << min(failures, 10)))
        failures += 1
        // Between half of it and all.
        retryAt = now + delay * Double.random(in: 0.5...1, using: &generator)
    }

    /// A try went well.
    mutating func succeeded() { self = Backoff() }
}
