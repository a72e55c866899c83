import CallModel
import GRDB

/// Calls in one SQLite file. Several processes may share it; writers take turns.
public struct SQLiteCallStore: CallDatabase {
    let pool: DatabasePool
    private let commits: GroupCommit<SQLiteWrite>

    /// Seconds that a writer waits for another process before it counts as `unavailable`.
    static let busyTimeout = 5.0

    /// Opens the file at `path`, creating it if its folder exists. The schema comes by `migrate`.
    public init(path: String, loop: StoreLoop = .none) throws(StoreFailure) {
        var configuration = Configuration()
        configuration.busyMode = .timeout(Self.busyTimeout)
        configuration.foreignKeysEnabled = true
        configuration.label = "calls"
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { database in
                // What was acknowledged survives a power cut, too: commits share their syncs.
                try database.execute(sql: "PRAGMA synchronous = FULL")
                // The ends of many calls' events are written to in turn: as many pages stay in memory, in KiB, and go from
                // the log into the file once for several changes, in pages.
                try database.execute(sql: "PRAGMA cache_size = -8192")
                try database.execute(sql: "PRAGMA wal_autocheckpoint = 4000")
            }
            commits = GroupCommit(loop: loop) { [pool] turn in
                // It takes its turn on the database's queue, so that other uses of the database get theirs.
                pool.asyncWriteWithoutTransaction { turn.finish(SQLiteWrite.perform(turn.take(), $0)) }
            }
        } catch {
            throw Self.failure("open", error)
        }
    }

    /// None: a file does not listen.
    public func servers() -> [(address: String, port: UInt16)] { [] }

    /// Closes the file after what is under way.
    public func close() throws(StoreFailure) {
        do {
            try pool.close()
        } catch {
            throw Self.failure("close", error)
        }
    }

    /// One change, all or nothing; on the disk when this returns.
    func write<Success: Sendable>(
        _ operation: String,
        _ work: @escaping @Sendable (Database) throws -> Success
    ) async throws(StoreFailure) -> Success {
        try await withCheckedContinuation { continuation in
            write(operation, done: { continuation.resume(returning: $0) }, work)
        }.get()
    }

    /// As the other one, without a task that waits.
    func write<Success: Sendable>(
        _ operation: String,
        isPatient: Bool = false,
        done: @escaping @Sendable (Result<Success, StoreFailure>) -> Void,
        _ work: @escaping @Sendable (Database) throws -> Success
    ) {
        let write = SQLiteWrite(
            perform: { database in
                let result = try work(database)
                return { done(.success(result)) }
            },
            fail: { done(.failure(Self.failure(operation, $0))) }
        )
        commits.add(write, isPatient: isPatient)
    }

    /// One consistent look.
    func read<Result: Sendable>(
        _ operation: String,
        _ work: @escaping @Sendable (Database) throws -> Result
    ) async throws(StoreFailure) -> Result {
        do {
            return try await pool.read(work)
        } catch {
            throw Self.failure(operation, error)
        }
    }

    /// The failure without the statement's values.
    static func failure(_ operation: String, _ error: any Error) -> StoreFailure {
        if let failure = error as? StoreFailure { return failure }
        guard let error = error as? DatabaseError else {
            return .unavailable(operation: operation, reason: "\(type(of: error))")
        }
        return .unavailable(operation: operation, reason: "SQLite \(error.extendedResultCode.rawValue)")
    }
}

extension SQLiteCallStore {
    /// Steps that are not applied yet.
    public func pendingMigrations() async throws(MigrationFailure) -> [Migration] {
        try await migrating { db in
            try Self.createLedger(db)
            return try Self.pending(db).map(\.migration)
        }
    }

    /// Applies what is pending in one transaction, so that a second process finds either none of it or all.
    public func migrate() async throws(MigrationFailure) -> [Migration] {
        try await migrating { db in
            try Self.createLedger(db)
            let pending = try Self.pending(db)
            for step in pending {
                try db.execute(sql: step.sql)
                try db.execute(
                    sql: """
                        INSERT INTO schema_migrations (version, name, checksum, applied_at)
                        VALUES (?, ?, ?, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))
                        """,
                    arguments: [step.version, step.name, step.checksum]
                )
            }
            return pending.map(\.migration)
        }
    }

    private func migrating(
        _ work: @escaping @Sendable (Database) throws -> [Migration]
    ) async throws(MigrationFailure) -> [Migration] {
        let pool = pool
        do {
            return try await Task { try await pool.write(work) }.value
        } catch {
            if let failure = error as? MigrationFailure { throw failure }
            throw .store(Self.failure("migrate", error))
        }
    }

    private static func createLedger(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS schema_migrations (
                    version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL DEFAULT '',
                    applied_at INTEGER NOT NULL)
                """
        )
    }

    private static func pending(_ db: Database) throws -> [SchemaStep] {
        var applied: [Int: String] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT version, checksum FROM schema_migrations") {
            applied[row["version"]] = row["checksum"]
        }
        return try SchemaStep.pending(SchemaStep.sqlite, applied: applied)
    }
}
