import CallModel

/// What was reached, over one run or many: a run that never meets a case says nothing of it.
struct InterleavingTally: Equatable {
    /// Of calls: how many were placed, answered, became active.
    var calls: [String: Int] = [:]
    var endReasons: [EndReason: Int] = [:]
    var acts: [Mood.Inclination: Int] = [:]
    var refusals: [String: Int] = [:]
    /// Acts that changed something, and those that succeeded and changed nothing.
    var changes = 0
    var successesWithoutChange = 0
    /// Commits that the store did not take because the call had changed.
    var conflicts = 0
    /// The most often that one act was applied.
    var attempts = 0

    mutating func add(_ other: InterleavingTally) {
        calls.merge(other.calls, uniquingKeysWith: +)
        endReasons.merge(other.endReasons, uniquingKeysWith: +)
        acts.merge(other.acts, uniquingKeysWith: +)
        refusals.merge(other.refusals, uniquingKeysWith: +)
        changes += other.changes
        successesWithoutChange += other.successesWithoutChange
        conflicts += other.conflicts
        attempts = max(attempts, other.attempts)
    }

    mutating func note(_ call: String) { calls[call, default: 0] += 1 }

    var actCount: Int { acts.values.reduce(0, +) }

    /// A table, a row for each kind of thing.
    var table: String {
        func row(_ name: String, _ counts: [(String, Int)]) -> String {
            let padded = name + String(repeating: " ", count: max(0, 12 - name.count))
            return padded + counts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        }
        func sorted(_ counts: [String: Int]) -> [(String, Int)] { counts.sorted { $0.key < $1.key } }
        return [
            row("calls", sorted(calls)),
            row("end reasons", EndReason.allCases.map { ($0.rawValue, endReasons[$0] ?? 0) }),
            row("acts", [("all", actCount)] + Mood.Inclination.allCases.map { ($0.rawValue, acts[$0] ?? 0) }),
            row("outcomes", [("changed", changes), ("unchanged", successesWithoutChange)]),
            row("refusals", sorted(refusals)),
            row("conflicts", [("commits refused", conflicts), ("most attempts of one act", attempts)]),
        ].joined(separator: "\n")
    }
}
