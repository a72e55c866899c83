import Postgres

/// What a write is to the database when its turn has come.
struct PostgresPlan: Sendable {
    /// What it locks, in the order in which every transaction of every node locks, so that none waits for one that waits for
    /// it.
    enum Lock: Comparable, Sendable {
        case key(String)
        case room(String)
        case call(String)
        case notice(String)
        case roomEvent(String)
        case node(String)
    }

    /// The first of what it locks, or the only one.
    let lock: Lock
    let commands: [PostgresCommand]
    /// What tells the caller of these results, one for each command.
    let answer: @Sendable ([PostgresResult]) -> @Sendable () -> Void
}

/// One write to PostgreSQL, which may share a transaction with others.
///
/// Each is still all or nothing by itself. If the server refuses one of them, none of the transaction is done, and each is done
/// again in one of its own, so that each hears of its own failure alone.
struct PostgresWrite: Sendable {
    /// Asked once; nil if there is nothing to write, which tells the caller of it.
    let plan: @Sendable () -> PostgresPlan?
    let fail: @Sendable (PostgresFailure) -> Void

    /// Answers what tells the callers of it.
    static func perform(
        _ batch: [PostgresWrite],
        _ connection: Result<PostgresConnection, PostgresFailure>
    ) -> [@Sendable () -> Void] {
        switch connection {
        case .success(let connection): perform(batch, connection)
        case .failure(let failure): batch.map { write in { write.fail(failure) } }
        }
    }

    private static func perform(
        _ batch: [PostgresWrite],
        _ connection: PostgresConnection
    ) -> [@Sendable () -> Void] {
        let planned = batch.compactMap { write in write.plan().map { (write: write, plan: $0) } }
            .sorted { $0.plan.lock < $1.plan.lock }
        guard !planned.isEmpty else { return [] }
        let together = connection.exchange(
            [planned.flatMap(\.plan.commands)],
            deadline: .now + PostgresPool.exchangeTime
        )
        switch together[0] {
        case .success(let results):
            var rest = results[...]
            return planned.map { entry in
                let own = rest.prefix(entry.plan.commands.count)
                rest = rest.dropFirst(own.count)
                return entry.plan.answer(Array(own))
            }
        case .failure(.refused) where planned.count > 1 && connection.isUsable:
            let alone = connection.exchange(planned.map(\.plan.commands), deadline: .now + PostgresPool.exchangeTime)
            return zip(planned, alone).map { entry, outcome in
                switch outcome {
                case .success(let results): entry.plan.answer(results)
                case .failure(let failure): { entry.write.fail(failure) }
                }
            }
        case .failure(let failure):
            return planned.map { entry in { entry.write.fail(failure) } }
        }
    }
}
