import BenchCore
import NetPrimitives
import Testing

@Suite("Pacer")
struct PacerTests {
    @Test(
        "the schedule keeps its rate for hours, and a burst is due when it says so",
        arguments: [0.5, 3, 25_000, 1_000_000]
    )
    func rate(perSecond: Double) {
        let start = Instant(nanoseconds: 5_000_000_000)
        let pacer = Pacer(perSecond: perSecond, start: start)
        #expect(pacer.dueCount(at: Instant(nanoseconds: 0)) == 0)
        #expect(pacer.dueCount(at: start) == 1)
        let hours = 4.0
        let late = Instant(nanoseconds: start.nanoseconds + UInt64(hours * 3600 * 1e9))
        #expect(abs(pacer.dueCount(at: late) - Int(hours * 3600 * perSecond)) <= 1)
        for index in [0, 1, 2, 1000] {
            let due = pacer.due(index)
            #expect(pacer.dueCount(at: Instant(nanoseconds: due.nanoseconds + 1)) >= index + 1)
            guard index > 0 else { continue }
            #expect(pacer.dueCount(at: Instant(nanoseconds: due.nanoseconds - 2)) <= index)
        }
    }
}
