import CallModel
import Foundation

/// What came of one seed.
struct InterleavingReport {
    let seed: UInt64
    let tally: InterleavingTally
    let violations: [Violation]
    let trace: [String]

    /// As many acts as a seed has at least.
    static let acts = 200

    init(seed: UInt64, checksVersions: Bool = true, isTraced: Bool = false) {
        let room = InterleavedRoom(seed: seed, checksVersions: checksVersions, isTraced: isTraced)
        room.run(acts: Self.acts)
        self.seed = seed
        tally = room.tally
        violations = room.violations
        trace = room.trace ?? []
    }

    /// What went wrong, the steps that led there, and how to see it again.
    var failure: String {
        let steps = InterleavingReport(seed: seed, isTraced: true).trace.suffix(40)
        return """
            make model MODEL_SEED=\(seed) plays this again:
            \(violations.map(\.description).joined(separator: "\n"))
            the last steps:
            \(steps.joined(separator: "\n"))
            """
    }
}

/// Many seeds, on all processors.
struct InterleavingRun {
    private(set) var tally = InterleavingTally()
    private(set) var failures: [InterleavingReport] = []
    private(set) var seedsPlayed = 0

    /// After as many failures the rest would say the same.
    static let failureLimit = 3

    /// Plays the seeds from `first`; `progress` hears after each how many are done.
    static func play(first: UInt64, count: Int, progress: (Int) -> Void) async -> InterleavingRun {
        var run = InterleavingRun()
        await withTaskGroup(of: InterleavingReport.self) { group in
            var started = 0
            func startNext() {
                guard started < count, run.failures.count < failureLimit else { return }
                let seed = first &+ UInt64(started)
                started += 1
                group.addTask { InterleavingReport(seed: seed) }
            }
            for _ in 0..<ProcessInfo.processInfo.activeProcessorCount { startNext() }
            while let report = await group.next() {
                run.tally.add(report.tally)
                run.seedsPlayed += 1
                if !report.violations.isEmpty { run.failures.append(report) }
                progress(run.seedsPlayed)
                startNext()
            }
        }
        run.failures.sort { $0.seed < $1.seed }
        return run
    }
}
