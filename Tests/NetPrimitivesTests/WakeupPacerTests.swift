import NetPrimitives
import Testing

@Suite("WakeupPacer")
struct WakeupPacerTests {
    private static let longest: UInt64 = 100_000

    /// A loop that is woken by packets `gap` apart and obeys the pacer, for so many passes from `start` on; answers the wait
    /// after each pass, nil where there was none.
    private func waits(
        _ pacer: inout WakeupPacer,
        gap: UInt64,
        passes: Int,
        start: UInt64 = 1_000_000_000
    ) -> [UInt64?] {
        var now = start
        var arrivedBefore: UInt64 = 0
        return (0..<passes).map { _ in
            let arrived = (now - start) / gap
            let look = pacer.nextLook(after: Int(arrived - arrivedBefore), passAt: Instant(nanoseconds: now))
            arrivedBefore = arrived
            let wait = look.map { $0.nanoseconds - now }
            let nextArrival = start + (arrived + 1) * gap
            now = max(now + (wait ?? 0), nextArrival)
            return wait
        }
    }

    private func pacer() -> WakeupPacer { WakeupPacer(packetsPerPass: 8, longestWait: Self.longest) }

    @Test("a loop whose packets come singly never waits", arguments: [60_000, 1_000_000, 20_000_000] as [UInt64])
    func quiet(gap: UInt64) {
        var pacer = pacer()
        #expect(waits(&pacer, gap: gap, passes: 1000).allSatisfy { $0 == nil })
    }

    @Test(
        "under load it waits for so many packets, and never longer than it may",
        arguments: [1_000, 5_000, 20_000, 40_000] as [UInt64]
    )
    func load(gap: UInt64) throws {
        var pacer = pacer()
        let settled = waits(&pacer, gap: gap, passes: 500).suffix(100)
        for wait in settled {
            let wait = try #require(wait)
            #expect(wait <= Self.longest)
            let wanted = min(8 * gap, Self.longest)
            #expect(wait > wanted * 3 / 4 && wait < wanted * 5 / 4)
        }
    }

    @Test("the first packet behind a pause is not waited with")
    func pause() {
        var pacer = pacer()
        _ = waits(&pacer, gap: 10_000, passes: 500)
        let late = Instant(nanoseconds: 3_000_000_000)
        #expect(pacer.nextLook(after: 1, passAt: late) == nil)
    }

    @Test(
        "bursts with pauses between them are hardly waited behind",
        arguments: [250_000, 320_000, 700_000] as [UInt64]
    )
    func bursts(interval: UInt64) {
        var pacer = pacer()
        var now: UInt64 = 1_000_000_000
        var waited = 0
        for burst in UInt64(1)...2000 {
            let look = pacer.nextLook(after: 8, passAt: Instant(nanoseconds: now))
            if look != nil { waited += 1 }
            now = 1_000_000_000 + burst * interval
        }
        #expect(waited < 100)
    }

    @Test("a load that was all bursts and becomes even is waited behind again")
    func recovery() {
        var pacer = pacer()
        for burst in UInt64(1)...500 {
            _ = pacer.nextLook(after: 8, passAt: Instant(nanoseconds: burst * 320_000))
        }
        let settled = waits(&pacer, gap: 20_000, passes: 1000).suffix(500)
        #expect(settled.filter { $0 == nil }.count < 50)
    }

    @Test("neither a clock that goes back nor one at its end traps")
    func oddClocks() {
        var pacer = pacer()
        for nanoseconds in [UInt64.max, 0, 5, .max, .max] {
            _ = pacer.nextLook(after: .max, passAt: Instant(nanoseconds: nanoseconds))
            _ = pacer.nextLook(after: 0, passAt: Instant(nanoseconds: nanoseconds))
        }
    }
}
