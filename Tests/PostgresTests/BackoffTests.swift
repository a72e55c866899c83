import Testing

@testable import Postgres

@Suite("When a connection is tried for again")
struct BackoffTests {
    @Test("Later and later, within bounds, and at once after a success")
    func grows() throws {
        var backoff = Backoff()
        var generator = SystemRandomNumberGenerator()
        let now = ContinuousClock.now
        #expect(!backoff.holds(at: now))
        var delay = Backoff.shortest
        for _ in 0..<40 {
            backoff.failed(at: now, using: &generator)
            let retryAt = try #require(backoff.retryAt)
            #expect(retryAt >= now + delay / 2 && retryAt <= now + delay)
            #expect(backoff.holds(at: retryAt - .nanoseconds(1)) && !backoff.holds(at: retryAt))
            delay = min(Backoff.longest, delay * 2)
        }
        #expect(delay == Backoff.longest)
        backoff.succeeded()
        #expect(!backoff.holds(at: now))
    }
}
