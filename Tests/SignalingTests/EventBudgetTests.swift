import NetPrimitives
import Signaling
import Testing

@Suite("Events of one socket")
struct EventBudgetTests {
    private func budget() -> EventBudget { EventBudget(count: 5, periodMilliseconds: 1_000, now: instant(0)) }

    private func instant(_ milliseconds: Int) -> Instant {
        Instant(nanoseconds: 7_000_000_000 + UInt64(milliseconds) * 1_000_000)
    }

    @Test("ten periods' worth may come at once, then so many a period")
    func burst() {
        var atOnce = budget()
        for number in 0..<50 { #expect(atOnce.spend(at: instant(0)) == .admitted, "event \(number)") }
        #expect(atOnce.spend(at: instant(0)) != .admitted)
        var steady = budget()
        for number in 0..<200 { #expect(steady.spend(at: instant(200 * number)) == .admitted, "event \(number)") }
    }

    @Test("who waits as long as it was told is admitted, who comes a little earlier is not")
    func waiting() {
        var patient = budget()
        for _ in 0..<50 { _ = patient.spend(at: instant(0)) }
        guard case .refused(let wait) = patient.spend(at: instant(0)) else {
            Issue.record("the 51st event was not refused")
            return
        }
        var hasty = patient
        #expect(patient.spend(at: instant(wait)) == .admitted)
        #expect(hasty.spend(at: instant(wait - 1)) != .admitted)
    }

    @Test("who goes on regardless is cut, and never sooner than after another ten periods' worth")
    func flood() {
        var flooded = budget()
        var verdicts: [EventBudget.Verdict] = []
        for _ in 0..<101 { verdicts.append(flooded.spend(at: instant(0))) }
        #expect(verdicts[..<50].allSatisfy { $0 == .admitted })
        #expect(verdicts[50..<100].allSatisfy { $0 != .admitted && $0 != .exhausted })
        #expect(verdicts[100] == .exhausted)
    }

    @Test("no rate and no time overflow")
    func extremes() {
        for (count, period) in [(0, 0), (1, Int64.max), (Int.max, 1)] {
            var budget = EventBudget(count: count, periodMilliseconds: period, now: Instant(nanoseconds: 0))
            for now in [0, 1, UInt64.max / 4, 0] { _ = budget.spend(at: Instant(nanoseconds: now)) }
        }
    }
}
