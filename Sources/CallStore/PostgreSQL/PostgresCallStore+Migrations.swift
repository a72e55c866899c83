import Glibc
import Postgres

extension PostgresCallStore {
    /// Any number will do, as long as no other program takes the same: this one is "callrely" in ASCII.
    private static let advisoryLock: Int64 = 0x6361_6c6c_7265_6c79
    /// For how long to wait while another node applies what is pending.
    private static let lockTime = Duration.seconds(120)
    /// For how long one step may take. A table of calls may be large.
    private static let stepTime = Duration.seconds(3_600)

    /// Steps that are not applied yet. Changes nothing.
    public func pendingMigrations() async throws(MigrationFailure) -> [Migration] {
        try await migrating { connection throws(PostgresFailure) in
            try Self.pending(connection)
        }.map(\.migration)
    }

    /// Applies what is pending, each step in a transaction of its own, while other nodes wait; enters the checksums of steps
    /// that were applied by hand.
    public func migrate() async throws(MigrationFailure) -> [Migration] {
        try await migrating { connection throws(PostgresFailure) in
            // None of this is a client's, who would wait for it.
            defer { connection.retire() }
            try connection.run(
                script: "SET statement_timeout = 0; SET lock_timeout = 0",
                name: "migrate",
                in: .seconds(5)
            )
            try Self.waitForOthers(connection)
            let pending = try Self.pending(connection)
            guard case .success(let steps) = pending else { return pending }
            for step in steps { try connection.run(script: step.sql, name: step.name, in: Self.stepTime) }
            for step in SchemaStep.postgres { try Self.enterChecksum(step, connection) }
            return pending
        }.map(\.migration)
    }

    private func migrating(
        _ work:
            @escaping @Sendable (PostgresConnection) throws(PostgresFailure) -> Result<[SchemaStep], MigrationFailure>
    ) async throws(MigrationFailure) -> [SchemaStep] {
        let result: Result<[SchemaStep], MigrationFailure>
        do throws(PostgresFailure) {
            result = try await readers.use(isRepeatable: false, work)
        } catch {
            throw .store(Self.failure("migrate", error))
        }
        return try result.get()
    }

    /// Takes the lock, which goes with the connection.
    private static func waitForOthers(_ connection: PostgresConnection) throws(PostgresFailure) {
        let take = PostgresCommand(
            PostgresStatement("lock migrations", [.bigint], "SELECT pg_try_advisory_lock($1)")
        ) { $0.append(advisoryLock) }
        let deadline = ContinuousClock.now + lockTime
        while try connection.row(take).boolean(0, 0) != true {
            guard .now < deadline else { throw .timedOut(statement: "lock migrations") }
            usleep(200_000)
        }
    }

    private static func pending(
        _ connection: PostgresConnection
    ) throws(PostgresFailure) -> Result<[SchemaStep], MigrationFailure> {
        let look = PostgresStatement("look for the ledger", [], "SELECT to_regclass('schema_migrations') IS NOT NULL")
        var applied: [Int: String] = [:]
        if try connection.row(PostgresCommand(look)).boolean(0, 0) == true {
            let read = PostgresStatement("read the ledger", [], "SELECT version, checksum FROM schema_migrations")
            let rows = try connection.row(PostgresCommand(read))
            for row in 0..<rows.rowCount {
                if let version = rows.number(row, 0) { applied[Int(version)] = rows.text(row, 1) ?? "" }
            }
        }
        return Result { () throws(MigrationFailure) in try SchemaStep.pending(SchemaStep.postgres, applied: applied) }
    }

    private static func enterChecksum(
        _ step: SchemaStep,
        _ connection: PostgresConnection
    ) throws(PostgresFailure) {
        let enter = PostgresStatement(
            "enter checksum",
            [.bigint, .text],
            "UPDATE schema_migrations SET checksum = $2 WHERE version = $1 AND checksum = ''"
        )
        _ = try connection.row(
            PostgresCommand(enter) {
                $0.append(Int64(step.version))
                $0.append(step.checksum)
            }
        )
    }
}

extension PostgresConnection {
    fileprivate func row(_ command: PostgresCommand) throws(PostgresFailure) -> PostgresResult {
        try exchange([[command]], deadline: .now + PostgresPool.exchangeTime)[0].get()[0]
    }

    fileprivate func run(script: String, name: String, in time: Duration) throws(PostgresFailure) {
        try run(script: script, name: name, deadline: .now + time)
    }
}
