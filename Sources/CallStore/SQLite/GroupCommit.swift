import GRDB
import Locking

/// Writes that come at about the same time go into one transaction, so that they share its one sync to the disk: while one
/// transaction is being synced the next one's writes collect.
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
    }

    private let pool: DatabasePool
    private let state = Locked(State())

    init(pool: DatabasePool) { self.pool = pool }

    /// Does `work` in a transaction, perhaps with others, and tells `done` on the database's queue when it is on the disk.
    /// Writes are done in the order in which they are asked for. `work` may be done twice, if the first time was taken back.
    func write<Success: Sendable>(
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
        let isFirst = state.withLock { state in
            state.waiting.append(write)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isFirst { schedule() }
    }

    /// One transaction at a time takes its turn on the queue, so that other uses of the database get theirs.
    private func schedule() {
        pool.asyncWriteWithoutTransaction { [self] database in
            let batch = state.withLock { state in
                let batch = Array(state.waiting.prefix(Self.writesPerTransaction))
                state.waiting.removeFirst(batch.count)
                return batch
            }
            Self.perform(batch, database)
            let isMore = state.withLock { state in
                state.isScheduled = !state.waiting.isEmpty
                return state.isScheduled
            }
            if isMore { schedule() }
        }
    }

    private static func perform(_ batch: [Write], _ database: Database) {
        var done: [@Sendable () -> Void] = []
        var hasBegun = false
        do {
            try database.inTransaction(.immediate) {
                hasBegun = true
                for write in batch { done.append(try write.perform(database)) }
                return .commit
            }
        } catch {
            // If no transaction can begin, each would wait for the same lock in vain.
            if batch.count == 1 || !hasBegun {
                for write in batch { write.fail(error) }
            } else {
                for write in batch { perform([write], database) }
            }
            return
        }
        for tell in done { tell() }
    }
}
