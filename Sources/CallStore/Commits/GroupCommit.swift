import Locking

/// Writes that come at about the same time go into one transaction, so that they share its one sync to the disk: while one
/// transaction is being synced the next one's writes collect, and `CommitSchedule` keeps transactions apart.
///
/// What a write is and how a transaction is made of some is the database's matter.
///
/// A class because callers and the database's thread share what waits.
final class GroupCommit<Write: Sendable>: Sendable {
    /// The turn of what waits: on a thread of the database, `take` the writes and then `finish` with what tells their callers.
    struct Turn: Sendable {
        fileprivate let commits: GroupCommit

        /// The writes of this transaction, in the order in which they were asked for. To be called once.
        func take() -> [Write] { commits.takeBatch() }

        /// The transaction is over: its callers are told, and what has come meanwhile gets its own.
        func finish(_ answers: [@Sendable () -> Void]) {
            let commits = commits
            commits.loop.run { for answer in answers { answer() } }
            commits.take { state in
                state.schedule.ended(waiting: state.waiting.count, isUrgent: state.isUrgent, now: .now)
            }
        }
    }

    /// More in one transaction would make the first wait for the last for no gain.
    private static var writesPerTransaction: Int { 256 }

    private struct State {
        var waiting: [Write] = []
        /// Whether one of those that wait is urgent.
        var isUrgent = false
        var schedule = CommitSchedule()
    }

    private let loop: StoreLoop
    private let begin: @Sendable (Turn) -> Void
    private let state = Locked(State())

    /// `begin` has a turn come on a thread of the database.
    init(loop: StoreLoop, begin: @escaping @Sendable (Turn) -> Void) {
        self.loop = loop
        self.begin = begin
    }

    /// Does a write in a transaction, perhaps with others. Writes are done in the order in which they are asked for. A patient
    /// one may wait for company.
    func add(_ write: Write, isPatient: Bool) {
        take { state in
            state.waiting.append(write)
            if !isPatient { state.isUrgent = true }
            return state.schedule.added(waiting: state.waiting.count, isUrgent: state.isUrgent, now: .now)
        }
    }

    /// Does the step that `next` decides on.
    private func take(_ next: (inout State) -> CommitSchedule.Step) {
        switch state.withLock({ state in next(&state) }) {
        case .nothing: break
        case .begin: begin(Turn(commits: self))
        case .wait(let delay, let ticket):
            loop.runLater(delay) { [self] in take { $0.schedule.timeIsUp(ticket: ticket, now: .now) } }
        }
    }

    private func takeBatch() -> [Write] {
        state.withLock { state in
            let batch = Array(state.waiting.prefix(Self.writesPerTransaction))
            state.waiting.removeFirst(batch.count)
            // Of those that stay, none is known to be patient.
            state.isUrgent = !state.waiting.isEmpty
            return batch
        }
    }
}
