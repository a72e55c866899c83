import CallModel
import Foundation
import Testing

@Suite("Any order of acts")
struct CallInterleavingTests {
    /// `MODEL_SEEDS` plays more seeds, `MODEL_SEED` names the first, and alone the only one. `make model` sets them.
    private var chosen: (first: UInt64, count: Int) {
        let environment = ProcessInfo.processInfo.environment
        let first = environment["MODEL_SEED"].flatMap { UInt64($0) }
        let count = environment["MODEL_SEEDS"].flatMap { Int($0) }
        return (first ?? 0, count ?? (first == nil ? 200 : 1))
    }

    @Test("Acts in any order on two nodes come out as the documents say")
    func anyOrder() async {
        let (first, count) = chosen
        let progress = ProgressLine(name: "model", total: count)
        let run = await InterleavingRun.play(first: first, count: count, progress: progress.show)
        for report in run.failures { Issue.record("\(report.failure)") }
        print("model: \(run.seedsPlayed) seeds from \(first)\n\(run.tally.table)")
        guard count >= 200, run.failures.isEmpty else { return }
        for reason in EndReason.allCases {
            let reached = run.tally.endReasons[reason] ?? 0
            #expect(reached >= 100, "calls that ended \(reason): \(reached) in \(count) seeds")
        }
        for inclination in Mood.Inclination.allCases {
            #expect(run.tally.acts[inclination, default: 0] >= 100, "\(inclination)")
        }
        let codes = [
            "answered_elsewhere", "call_ended", "call_exists", "call_full", "call_not_found", "forbidden",
            "invalid_request", "name_invitees", "not_answered", "not_joined", "too_many_invitees", "unknown_recipient",
        ]
        for code in codes { #expect(run.tally.refusals[code, default: 0] >= 20, "\(code)") }
        for fact in [
            "1:1", "group", "active", "answered by initiating", "room was taken", "outlived the acts",
            "appended after others",
        ] {
            #expect(run.tally.calls[fact, default: 0] >= 20, "\(fact)")
        }
        #expect(run.tally.conflicts >= 1000, "acts that do not meet show nothing")
    }

    @Test("Without the version check two win a call and numbers repeat, and it is noticed")
    func withoutVersionCheck() {
        let reports = (0..<200 as Range<UInt64>).map { InterleavingReport(seed: $0, checksVersions: false) }
        let caught = reports.filter { !$0.violations.isEmpty }
        #expect(caught.count == reports.count, "noticed in \(caught.count) of \(reports.count) seeds")
        var broken: [Violation.Promise: Int] = [:]
        for report in caught {
            for promise in Set(report.violations.map(\.promise)) { broken[promise, default: 0] += 1 }
        }
        let counts = broken.map { "\($0.key.rawValue) \($0.value)" }.sorted().joined(separator: ", ")
        print("model without the version check: noticed in \(caught.count) of \(reports.count) seeds; \(counts)")
        for promise in [Violation.Promise.oneWinner, .gaplessNumbers, .versions, .reference] {
            #expect(broken[promise, default: 0] > 0, "\(promise) among \(counts)")
        }
    }

    @Test("A seed plays the same acts to the same end each time")
    func replay() {
        let (one, other) = (InterleavingReport(seed: 7, isTraced: true), InterleavingReport(seed: 7, isTraced: true))
        #expect(one.trace == other.trace && one.tally == other.tally)
        #expect(one.trace.count > InterleavingReport.acts)
    }
}
