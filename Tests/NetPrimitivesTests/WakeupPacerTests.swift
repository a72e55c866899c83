import NetPrimitives
import Testing

@Suite("WakeupPacer")
struct WakeupPacerTests {
    private static let longest: UInt64 = 100_000

    /// A loop that is woken by packets `gap` apart, works so long on each and obeys the pacer, for so many passes from `start`
    /// on; answers the wait after each pass, nil where there was none.
    private func waits(
        _ pacer: inout WakeupPacer,
        gap: UInt64,
        work: UInt64 = 100,
        passes: Int,
        start: UInt64 = 1_000_000_000
    ) -> [UInt64?] {
        var now = start
        var arrivedBefore: UInt64 = 0
        return (0..<passes).map { _ in
            let arrived = (now - start) / gap
            let packets = arrived - arrivedBefore
            let end = Instant(nanoseconds: now + packets * work)
            let look = pacer.nextLook(after: packets, passFrom: Instant(nanoseconds: now), to: end)
            arrivedBefore = arrived
            let wait = look.map { $0.nanoseconds - now }
            let nextArrival = start + (arrived + 1) * gap
            now = max(now + (wait ?? 0), nextArrival, end.nanoseconds)
            return wait
        }
    }

    private func pacer() -> WakeupPacer { WakeupPacer(fewest: 4, most: 20, longestWait: Self.longest) }

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
            let wanted = min(4 * gap, Self.longest)
            #expect(wait > wanted * 3 / 4 && wait < wanted * 5 / 4)
        }
    }

    @Test(
        "the less time is left, the more packets it waits for",
        arguments: [(0.3, 4), (0.5, 4), (0.6875, 12), (0.875, 20), (0.95, 20)]
    )
    func crowded(share: Double, packets: UInt64) throws {
        let gap: UInt64 = 4_000
        var pacer = pacer()
        let settled = waits(&pacer, gap: gap, work: UInt64(share * Double(gap)), passes: 500).suffix(100)
        for wait in settled {
            let wait = try #require(wait)
            #expect(wait > packets * gap * 3 / 4 && wait < packets * gap * 5 / 4)
        }
    }

    @Test("a loop that cannot keep up is never told to wait longer than it may")
    func overload() {
        var pacer = pacer()
        // Each pass takes half as long again as the one before.
        for wait in waits(&pacer, gap: 1_000, work: 1_500, passes: 40) {
            #expect(wait.map { $0 <= Self.longest } ?? true)
        }
    }

    @Test("the first packet behind a pause is not waited with")
    func pause() {
        var pacer = pacer()
        _ = waits(&pacer, gap: 10_000, passes: 500)
        let late = Instant(nanoseconds: 3_000_000_000)
        #expect(pacer.nextLook(after: 1, passFrom: late, to: late) == nil)
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
            let pass = Instant(nanoseconds: now)
            let look = pacer.nextLook(after: 8, passFrom: pass, to: pass)
            if look != nil { waited += 1 }
            now = 1_000_000_000 + burst * interval
        }
        #expect(waited < 100)
    }

    @Test("a load that was all bursts and becomes even is waited behind again")
    func recovery() {
        var pacer = pacer()
        for burst in UInt64(1)...500 {
            let pass = Instant(nanoseconds: burst * 320_000)
            _ = pacer.nextLook(after: 8, passFrom: pass, to: pass)
        }
        let settled = waits(&pacer, gap: 20_000, passes: 1000).suffix(500)
        #expect(settled.filter { $0 == nil }.count < 50)
    }

    @Test("neither a clock that goes back nor one at its end traps")
    func oddClocks() {
        var pacer = pacer()
        let instants = [UInt64.max, 0, 5, .max, .max].map { Instant(nanoseconds: $0) }
        for now in instants {
            for end in instants {
                _ = pacer.nextLook(after: .max, passFrom: now, to: end)
                _ = pacer.nextLook(after: 0, passFrom: now, to: end)
            }
        }
    }
}
