import Dispatch
import GRDB
import Locking

/// Writes that come at about the same time go into one transaction, so that they share its one sync to the disk: while one
/// transaction is being synced the next one's writes collect, and `CommitPace` keeps transactions apart.
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
        var isScheduled = false
        /// Whether one of those that wait is urgent.
        var isUrgent = false
        /// Whether the database's queue waits until it is time for the next transaction, or for `hurry`.
        var isPausing = false
        var pace = CommitPace()
    }

    private let pool: DatabasePool
    private let answer: SQLiteCallStore.Answering
    private let state = Locked(State())
    private let hurry = DispatchSemaphore(value: 0)

    /// `answer` runs what tells the callers.
    init(pool: DatabasePool, answer: @escaping SQLiteCallStore.Answering) {
        self.pool = pool
        self.answer = answer
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
        let (isFirst, hurries) = state.withLock { state in
            state.waiting.append(write)
            if !isPatient { state.isUrgent = true }
            let isFirst = !state.isScheduled
            state.isScheduled = true
            let hurries =
                state.isPausing && CommitPace.hurries(waiting: state.waiting.count, isUrgent: state.isUrgent)
            if hurries { state.isPausing = false }
            return (isFirst, hurries)
        }
        if isFirst { schedule() }
        if hurries { hurry.signal() }
    }

    /// One transaction at a time takes its turn on the queue, so that other uses of the database get theirs.
    private func schedule() {
        pool.asyncWriteWithoutTransaction { [self] database in
            pause()
            let batch = state.withLock { state in
                state.pace.begin(at: .now)
                let batch = Array(state.waiting.prefix(Self.writesPerTransaction))
                state.waiting.removeFirst(batch.count)
                // Of those that stay, none is known to be patient.
                state.isUrgent = !state.waiting.isEmpty
                return batch
            }
            let answers = Self.perform(batch, database)
            answer { for answer in answers { answer() } }
            let isMore = state.withLock { state in
                state.isScheduled = !state.waiting.isEmpty
                return state.isScheduled
            }
            if isMore { schedule() }
        }
    }

    /// Waits until the next transaction may begin. On the database's own queue, where nothing else is waited for: what
    /// reads does so on other connections.
    private func pause() {
        while true {
            let delay = state.withLock { state in
                let delay = state.pace.delay(waiting: state.waiting.count, isUrgent: state.isUrgent, now: .now)
                // Whoever waits because of an urgent write already is not to be woken by the next one.
                state.isPausing =
                    delay != nil && !CommitPace.hurries(waiting: state.waiting.count, isUrgent: state.isUrgent)
                return delay
            }
            guard let delay else { return }
            // Whether it was time or somebody hurries shows next time round.
            _ = hurry.wait(timeout: .now() + .nanoseconds(Int(delay / .nanoseconds(1))))
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
