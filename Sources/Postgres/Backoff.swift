/// Who may try for a connection, and when: after a failure one at a time, soon after the first and later and later after more,
/// and not all nodes at once.
struct Backoff {
    /// After the first failure.
    static let shortest = Duration.milliseconds(100)
    /// After many.
    static let longest = Duration.seconds(5)

    private var failures = 0
    private var isTrying = false
    private(set) var retryAt: ContinuousClock.Instant?

    /// Whether whoever asks may try; `failed` or `succeeded` follows.
    mutating func mayTry(at now: ContinuousClock.Instant) -> Bool {
        guard let retryAt else { return true }
        if isTrying || now < retryAt { return false }
        isTrying = true
        return true
    }

    /// A try failed, or a connection showed that there is no use in another one.
    mutating func failed(at now: ContinuousClock.Instant, using generator: inout some RandomNumberGenerator) {
        let delay = min(Self.longest, Self.shortest * (1 << min(failures, 10)))
        failures += 1
        isTrying = false
        // Between half of it and all.
        retryAt = now + delay * Double.random(in: 0.5...1, using: &generator)
    }

    /// A try went well.
    mutating func succeeded() { self = Backoff() }
}
