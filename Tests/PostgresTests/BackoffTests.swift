import Testing

@testable import Postgres

@Suite("When a connection is tried for again")
struct BackoffTests {
    @Test("Later and later, within bounds, and at once after a success")
    func grows() throws {
        var backoff = Backoff()
        var generator = SystemRandomNumberGenerator()
        let now = ContinuousClock.now
        #expect(tries(&backoff, at: now, now) == [true, true], "nothing failed")
        var delay = Backoff.shortest
        for _ in 0..<40 {
            backoff.failed(at: now, using: &generator)
            let retryAt = try #require(backoff.retryAt)
            #expect(retryAt >= now + delay / 2 && retryAt <= now + delay)
            let tries = tries(&backoff, at: retryAt - .nanoseconds(1), retryAt, retryAt + .seconds(9))
            #expect(tries == [false, true, false], "not too early, and one at a time")
            delay = min(Backoff.longest, delay * 2)
        }
        #expect(delay == Backoff.longest)
        backoff.succeeded()
        #expect(tries(&backoff, at: now, now) == [true, true])
    }

    private func tries(_ backoff: inout Backoff, at times: ContinuousClock.Instant...) -> [Bool] {
        times.map { backoff.mayTry(at: $0) }
    }
}
