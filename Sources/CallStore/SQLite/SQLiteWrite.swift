import GRDB

/// One write to SQLite, which may share a transaction with others.
///
/// Each is still all or nothing by itself. If one of them fails, or the transaction does, all are taken back and done again
/// one by one, so that each hears of its own failure alone; only if the transaction cannot even begin, all fail with it.
struct SQLiteWrite: Sendable {
    /// Does the work and returns what tells the caller of it, to be called when it is on the disk. May be done twice, if the
    /// first time was taken back.
    let perform: @Sendable (Database) throws -> @Sendable () -> Void
    let fail: @Sendable (any Error) -> Void

    /// Answers what tells the callers of it.
    static func perform(_ batch: [SQLiteWrite], _ database: Database) -> [@Sendable () -> Void] {
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
