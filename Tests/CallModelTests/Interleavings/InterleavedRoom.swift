import CallModel

/// One room with three users of two devices each, and nodes that work on one store, in an order that a seed decides.
///
/// Every act is done as the service does it: load the call, apply the act, commit if the version is unchanged, else
/// again. Between any two steps of one act come steps of others. What comes of it is compared with the reference after
/// every commit and every refusal; the run ends at the first violation.
final class InterleavedRoom {
    static let users = ["alice", "bob", "carol"]
    static let start: Int64 = 1_764_000_000_000
    /// As many acts are in hand at the same time at most.
    static let width = 6

    let policy: CallPolicy
    let members: [String]
    /// The nodes' clocks run beside the true one.
    let skews: [Int64]
    var generator: SeededGenerator
    var mood: Mood
    var time = InterleavedRoom.start
    var store: VirtualCallStore
    var reference: ReferenceRoom
    var underway: [ActUnderway] = []
    /// Who is in each call, by the events alone.
    var holders: [CallID: Set<String>] = [:]
    /// The person and device to whom it was said that they answered a 1:1 call.
    var winners: [CallID: Set<String>] = [:]
    var tally = InterleavingTally()
    var violations: [Violation] = []
    /// Every step in words, if it is asked for.
    var trace: [String]?

    init(seed: UInt64, checksVersions: Bool = true, isTraced: Bool = false) {
        generator = SeededGenerator(seed: seed)
        mood = Mood.allCases.randomElement(using: &generator) ?? .hasty
        policy = CallPolicy(maximumParticipants: Int.random(in: 2...3, using: &generator))
        // A fourth member, who has no device, makes some rooms too large to ring for as a whole.
        members = Self.users + (Int.random(in: 0..<4, using: &generator) == 0 ? ["dave"] : [])
        skews = [0, Int64.random(in: -800...800, using: &generator)]
        store = VirtualCallStore(checksVersions: checksVersions)
        reference = ReferenceRoom(members: members, policy: policy)
        trace = isTraced ? [] : nil
    }

    /// Plays so many acts, then lets time run out.
    func run(acts: Int) {
        while tally.actCount < acts, violations.isEmpty {
            if underway.isEmpty || (underway.count < Self.width && chance(1, in: 3)) {
                beginActs()
            } else {
                advanceOne()
            }
        }
        finishAll()
        runOut()
    }

    func now(at node: Int) -> Timestamp { Timestamp(milliseconds: time + skews[node]) }

    func chance(_ favourable: Int, in all: Int) -> Bool { Int.random(in: 0..<all, using: &generator) < favourable }

    func finishAll() {
        while !underway.isEmpty, violations.isEmpty { advanceOne() }
    }

    /// One act goes one step on.
    func advanceOne() {
        let index = Int.random(in: underway.indices, using: &generator)
        let act = underway.remove(at: index)
        if let next = step(act) { underway.append(next) }
    }

    /// All nodes look for deadlines that are due, at the same time.
    func sweep(_ nodes: some Sequence<Int>) {
        for node in nodes {
            for id in store.callsDue(at: now(at: node)) {
                underway.append(
                    ActUnderway(node: node, actor: Actor(userID: ""), errand: .sweep(id), step: .load(id))
                )
            }
        }
    }

    func violate(_ promise: Violation.Promise, _ text: @autoclosure () -> String) {
        violations.append(Violation(promise: promise, text: text()))
        note("VIOLATION \(violations[violations.count - 1])")
    }

    func note(_ text: @autoclosure () -> String) {
        if trace != nil { trace?.append(text()) }
    }
}
