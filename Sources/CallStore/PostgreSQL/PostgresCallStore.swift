import CallModel
import Postgres

/// Calls in a PostgreSQL database, which any number of nodes share.
public struct PostgresCallStore: CallDatabase {
    let readers: PostgresPool
    private let writer: PostgresPool
    private let commits: GroupCommit<PostgresWrite>

    /// As many statements at a time may be read by this node, unless told otherwise.
    public static let defaultConnections = 8

    /// A store in the database that `url` names, in libpq's form. Connects when it is first asked; at most `connections` to
    /// read and one more to write. The schema comes by `migrate`.
    public init(url: String, connections: Int = Self.defaultConnections, loop: StoreLoop = .none) {
        readers = PostgresPool(url: url, connections: connections)
        // Transactions of one node gain nothing from being done at the same time: they share one instead.
        let writer = PostgresPool(url: url, connections: 1)
        self.writer = writer
        commits = GroupCommit(loop: loop) { turn in
            writer.use { turn.finish(PostgresWrite.perform(turn.take(), $0)) }
        }
    }

    /// The servers that the URL and libpq's environment name.
    public func servers() async throws(StoreFailure) -> [(address: String, port: UInt16)] {
        do throws(PostgresFailure) {
            return try await readers.use(isRepeatable: true) { connection throws(PostgresFailure) in
                connection.servers()
            }
            .map { ($0.address, $0.port) }
        } catch {
            throw Self.failure("name servers", error)
        }
    }

    /// Closes the connections after what is under way.
    public func close() async throws(StoreFailure) {
        await writer.close()
        await readers.close()
    }

    /// Adds a write. `plan` is asked once, when it is the write's turn; nil if there is nothing to write, of which the caller
    /// is told by it. `fail` hears why it was not done, or that nobody knows whether it was.
    func write(
        _ operation: String,
        isPatient: Bool = false,
        plan: @escaping @Sendable () -> PostgresPlan?,
        fail: @escaping @Sendable (StoreFailure) -> Void
    ) {
        let write = PostgresWrite(plan: plan, fail: { fail(Self.failure(operation, $0)) })
        commits.add(write, isPatient: isPatient)
    }

    /// As the other one, for those who can wait. On the server's disk when this returns.
    func write<Success: Sendable>(
        _ operation: String,
        lock: PostgresPlan.Lock,
        _ commands: [PostgresCommand],
        read: @escaping @Sendable ([PostgresResult]) -> Result<Success, StoreFailure>
    ) async throws(StoreFailure) -> Success {
        try await withCheckedContinuation { (continuation: CheckedContinuation<Result<Success, StoreFailure>, Never>) in
            let plan = PostgresPlan(lock: lock, commands: commands) { results in
                let result = read(results)
                return { continuation.resume(returning: result) }
            }
            write(operation, plan: { plan }, fail: { continuation.resume(returning: .failure($0)) })
        }.get()
    }

    /// One look, done again on another connection if the first one broke.
    func read<Success: Sendable>(
        _ command: PostgresCommand,
        _ read: @escaping @Sendable (PostgresResult) throws(StoreFailure) -> Success
    ) async throws(StoreFailure) -> Success {
        let result: Result<Success, StoreFailure>
        do throws(PostgresFailure) {
            result = try await readers.use(isRepeatable: true) { connection throws(PostgresFailure) in
                let outcome = connection.exchange([[command]], deadline: .now + PostgresPool.exchangeTime)
                let rows = try outcome[0].get()[0]
                do throws(StoreFailure) { return .success(try read(rows)) } catch { return .failure(error) }
            }
        } catch {
            throw Self.failure(command.name, error)
        }
        return try result.get()
    }

    /// The failure for the log: the statement, never its values.
    static func failure(_ operation: String, _ failure: PostgresFailure) -> StoreFailure {
        switch failure {
        case .unreachable(let reason):
            .unavailable(operation: operation, reason: "no connection to PostgreSQL: \(reason)")
        case .lost(let statement):
            .unavailable(operation: operation, reason: "the connection to PostgreSQL broke at \"\(statement)\"")
        case .timedOut(let statement):
            .unavailable(operation: operation, reason: "PostgreSQL did not answer \"\(statement)\" in time")
        case .refused(let statement, let sqlState):
            .unavailable(operation: operation, reason: "PostgreSQL refused \"\(statement)\" with \(sqlState)")
        case .scriptRefused(let statement, let sqlState, let message):
            .unavailable(
                operation: operation,
                reason: "PostgreSQL refused \"\(statement)\" with \(sqlState): \(message)"
            )
        case .crowded: .unavailable(operation: operation, reason: "too much waits for PostgreSQL already")
        case .closed: .unavailable(operation: operation, reason: "the store is closed")
        }
    }
}
