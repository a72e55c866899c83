import GRDB
import Locking

/// Writes that come at about the same time go into one transaction, so that they share its one sync to the disk: while one
/// transaction is being synced the next one's writes collect, and `CommitSchedule` keeps transactions apart.
///
/// Each write is still all or nothing by itself. If one of them fails, or the transaction does, all are taken back and done
/// again one by one, so that each hears of its own failure alone; only if the transaction cannot even begin, all fail with it.
///
/// A class because callers and the database's queue share what waits.
final class GroupCommit: Sendable {
    /// More in one transaction would make the first wait for the last for no gain.
    private static let writesPerTransaction = 256

    private struct Write: Sendable {
        /// Does the work and returns what tells the caller of it, to be called when it is on the disk.
        let perform: @Sendable (Database) throws -> @Sendable () -> Void
        let fail: @Sendable (any Error) -> Void
    }

    private struct State {
        var waiting: [Write] = []
        /// Whether one of those that wait is urgent.
        var isUrgent = false
        var schedule = CommitSchedule()
    }

    private let pool: DatabasePool
    private let loop: StoreLoop
    private let state = Locked(State())

    init(pool: DatabasePool, loop: StoreLoop) {
        self.pool = pool
        self.loop = loop
    }

    /// Does `work` in a transaction, perhaps with others, and tells `done` when it is on the disk. Writes are done in the
    /// order in which they are asked for. `work` may be done twice, if the first time was taken back. A patient write may wait
    /// for company.
    func write<Success: Sendable>(
        isPatient: Bool = false,
        _ work: @escaping @Sendable (Database) throws -> Success,
        done: @escaping @Sendable (Result<Success, any Error>) -> Void
    ) {
        let write = Write(
            perform: { database in
                let result = try work(database)
                return { done(.success(result)) }
            },
            fail: { done(.failure($0)) }
        )
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
        case .begin: begin()
        case .wait(let delay, let ticket):
            loop.runLater(delay) { [self] in take { $0.schedule.timeIsUp(ticket: ticket, now: .now) } }
        }
    }

    /// Runs one transaction. It takes its turn on the database's queue, so that other uses of the database get theirs.
    private func begin() {
        pool.asyncWriteWithoutTransaction { [self] database in
            let batch = state.withLock { state in
                let batch = Array(state.waiting.prefix(Self.writesPerTransaction))
                state.waiting.removeFirst(batch.count)
                // Of those that stay, none is known to be patient.
                state.isUrgent = !state.waiting.isEmpty
                return batch
            }
            let answers = Self.perform(batch, database)
            loop.run { for answer in answers { answer() } }
            take { state in
                state.schedule.ended(waiting: state.waiting.count, isUrgent: state.isUrgent, now: .now)
            }
        }
    }

    /// Answers what tells the callers of it.
    private static func perform(_ batch: [Write], _ database: Database) -> [@Sendable () -> Void] {
        var done: [@Sendable () -> Void] = []
        var hasBegun = false
        do {
            try database.inTransaction(.immediate) {
                hasBegun = true
                for write in batch { done.append(try write.perform(database)) }
                return .commit
            }
            return done
        } catch {
            // If no transaction can begin, each would wait for the same lock in vain.
            if batch.count == 1 || !hasBegun {
                return batch.map { write in { write.fail(error) } }
            }
            return batch.flatMap { perform([$0], database) }
        }
    }
}
