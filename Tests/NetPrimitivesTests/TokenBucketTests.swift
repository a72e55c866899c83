import NetPrimitives
import TestSupport
import Testing

@Suite("TokenBucket")
struct TokenBucketTests {
    private let second: UInt64 = 1_000_000_000

    @Test("starts full, empties, and fills up at its rate to no more than its burst")
    func refill() {
        var bucket = TokenBucket(rate: 2, burst: 3, now: Instant(nanoseconds: 0))
        let atOnce = (0..<4).map { _ in bucket.take(now: Instant(nanoseconds: 0)) }
        #expect(atOnce == [true, true, true, false])
        let shortly = [second / 2 - 1, second / 2].map { bucket.take(now: Instant(nanoseconds: $0)) }
        #expect(shortly == [false, true])
        #expect(bucket.available(now: Instant(nanoseconds: 100 * second)) == 3)
        let late = [UInt64(4), 3].map { bucket.take($0, now: Instant(nanoseconds: 200 * second)) }
        #expect(late == [false, true])
    }

    @Test("a clock that goes back gives nothing and takes nothing")
    func backwards() {
        var bucket = TokenBucket(rate: 1, burst: 1, now: Instant(nanoseconds: 10 * second))
        let taken = [10, 0, 11].map { bucket.take(now: Instant(nanoseconds: $0 * second)) }
        #expect(taken == [true, false, true])
    }

    @Test("however the time is sliced, no token is lost or made up")
    func slicing() throws {
        try checkProperty("token arithmetic", iterations: 300) { generator in
            let rate = UInt64.random(in: 1...3_000_000_000, using: &generator)
            var bucket = TokenBucket(rate: rate, burst: .max, now: Instant(nanoseconds: 0))
            try claim(bucket.take(.max, now: Instant(nanoseconds: 0)), "not full at first")
            var now: UInt64 = 0
            var taken: UInt64 = 0
            for _ in 0..<200 {
                now += UInt64.random(in: 0...50_000_000, using: &generator)
                let available = bucket.available(now: Instant(nanoseconds: now))
                let cost = UInt64.random(in: 0...available, using: &generator)
                try claim(bucket.take(cost, now: Instant(nanoseconds: now)), "\(cost) of \(available) refused")
                taken += cost
            }
            let made = UInt64(UInt128(now) * UInt128(rate) / 1_000_000_000)
            let left = bucket.available(now: Instant(nanoseconds: now))
            try claim(taken + left == made, "\(taken) taken and \(left) left of \(made)")
        }
    }

    @Test("the longest time and the largest rate overflow nothing")
    func extremes() {
        var bucket = TokenBucket(rate: .max, burst: .max, now: Instant(nanoseconds: 0))
        let first = bucket.take(.max, now: Instant(nanoseconds: 0))
        #expect(first)
        #expect(bucket.available(now: Instant(nanoseconds: .max)) == .max)
        let second = bucket.take(.max, now: Instant(nanoseconds: .max))
        #expect(second)
    }
}
