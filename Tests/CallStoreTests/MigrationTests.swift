import CallModel
import Foundation
import GRDB
import Testing

@testable import CallStore

@Suite("Migrations")
struct MigrationTests {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test("The binary carries the files under migrations/sqlite, word for word and all of them")
    func embedded() throws {
        let folder = Self.repository.appending(path: "migrations/sqlite")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(files == SQLiteMigration.all.map { "\($0.name).sql" })
        for step in SQLiteMigration.all {
            let text = try String(contentsOf: folder.appending(path: "\(step.name).sql"), encoding: .utf8)
            #expect(text == step.sql)
        }
    }

    /// SHA-256 of the files as they were released. Databases were made with them: a change belongs into a further step.
    private static let released = [
        "004_voice_video_calls.sql": "d61839d3865c4201b98dd6557a80e3d882b7d18f160c5658118d7993a3ce79d5",
        "005_call_relay.sql": "6ddd19cde9161093a2ddb008b3388cf89782c3f423190702a653a6f78ad99b44",
        "sqlite/004_voice_video_calls.sql": "d505e8f1e7919b402bba6053f79261d30fc714436046c31f201ced746e741d88",
        "sqlite/005_call_relay.sql": "a5dbde177d58298846a4860e2219efaacb8b281c1d65940ed9ef9847ad87d7ee",
    ]

    @Test("A step that was released is not edited", arguments: released.keys.sorted())
    func unchanged(_ name: String) throws {
        let file = Self.repository.appending(path: "migrations/\(name)")
        let step = SQLiteMigration(version: 0, name: name, sql: try String(contentsOf: file, encoding: .utf8))
        #expect(step.checksum == Self.released[name])
    }

    @Test("Both databases have the same tables with the same columns")
    func twins() throws {
        var names: Set<String> = []
        for step in SQLiteMigration.all {
            let file = Self.repository.appending(path: "migrations/\(step.name).sql")
            let postgres = try Self.tables(String(contentsOf: file, encoding: .utf8))
            let sqlite = Self.tables(step.sql)
            #expect(postgres.filter { $0.key != "schema_migrations" } == sqlite)
            names.formUnion(sqlite.keys)
        }
        #expect(
            names.isSuperset(of: [
                "call_sessions", "call_participants", "call_events", "call_signals", "call_relay",
            ])
        )
    }

    /// The columns of each table: in these files a line within CREATE TABLE that begins with a lower-case word.
    static func tables(_ sql: String) -> [String: [String]] {
        var tables: [String: [String]] = [:]
        var current: String?
        for line in sql.split(separator: "\n") {
            if line.hasPrefix("CREATE TABLE") {
                current = line.split(separator: " ").dropLast().last.map(String.init)
            } else if line.hasPrefix(")") {
                current = nil
            } else if let table = current, line.hasPrefix("    "), line.dropFirst(4).first?.isLowercase == true {
                tables[table, default: []].append(String(line.split(separator: " ")[0]))
            }
        }
        return tables
    }

    @Test("SQLite keeps names within the same lengths in bytes as PostgreSQL")
    func nameLengths() async throws {
        let fixture = try await StoreFixture()
        let long = String(repeating: "é", count: 128)
        for commit in [
            try StoreFixture.newCall(room: long), try StoreFixture.newCall(by: long),
            try StoreFixture.newCall(for: [long]),
        ] {
            await #expect(throws: StoreFailure.unavailable(operation: "create call", reason: "SQLite 275")) {
                try await fixture.store.create(commit)
            }
        }
        let fitting = try StoreFixture.newCall(room: String(long.dropLast()))
        #expect(try await fixture.store.create(fitting) == .created)
    }

    @Test("Migrating twice applies once; pending steps are named before")
    func twice() async throws {
        let fixture = try await StoreFixture()
        #expect(try await fixture.store.pendingMigrations().isEmpty)
        #expect(try await fixture.store.migrate().isEmpty)
    }

    @Test("A step that was applied with another text, or by a newer binary, is refused")
    func foreign() async throws {
        let fixture = try await StoreFixture()
        let step = Migration(version: 4, name: "004_voice_video_calls")
        try await fixture.store.pool.write {
            try $0.execute(sql: "UPDATE schema_migrations SET checksum = 'x' WHERE version = 4")
        }
        await #expect(throws: MigrationFailure.changed(step)) { try await fixture.store.migrate() }
        try await fixture.store.pool.write {
            try $0.execute(sql: "UPDATE schema_migrations SET version = 99 WHERE version = 5")
        }
        await #expect(throws: MigrationFailure.newer(version: 99)) { try await fixture.store.migrate() }
    }

    @Test("A database of the first step's time is brought up to date and keeps its calls")
    func upgrade() async throws {
        let fixture = try await StoreFixture()
        let commit = try StoreFixture.newCall()
        _ = try await fixture.store.create(commit)
        try await fixture.store.pool.write { db in
            try db.execute(sql: "DROP TABLE call_relay; DELETE FROM schema_migrations WHERE version = 5")
        }
        #expect(try await fixture.store.migrate() == [Migration(version: 5, name: "005_call_relay")])
        #expect(try await fixture.store.call(commit.transition.call.id) == commit.transition.call)
    }

    @Test("Failures name the statement and no value")
    func failures() async throws {
        let fixture = try await StoreFixture()
        try await fixture.store.pool.write { try $0.execute(sql: "DROP TABLE call_signals") }
        let commit = try StoreFixture.newCall(room: "!secret")
        await #expect(throws: StoreFailure.unavailable(operation: "create call", reason: "SQLite 1")) {
            try await fixture.store.create(commit)
        }
        #expect(try await fixture.store.call(commit.transition.call.id) == nil, "all or nothing")
    }

    @Test(
        "What the API asks is answered from an index",
        arguments: [
            "SELECT * FROM call_sessions WHERE call_id = ?",
            "SELECT * FROM call_sessions WHERE room_id = ? AND state <> 'ended'",
            "SELECT call_id FROM call_sessions WHERE next_deadline <= ? ORDER BY next_deadline LIMIT 9",
            """
            SELECT call_id FROM call_participants p WHERE p.user_id = ? AND p.is_ended = 1
            AND (p.created_at, p.call_id) < (1, '') ORDER BY p.created_at DESC, p.call_id DESC LIMIT 9
            """,
            "SELECT * FROM call_events WHERE call_id = ? AND seq > 0 ORDER BY seq LIMIT 9",
            "SELECT call_id, ended_at FROM call_sessions WHERE state = 'ended' AND ended_at > ? ORDER BY ended_at DESC LIMIT 9",
            "SELECT r.bytes_sent FROM call_relay r WHERE r.call_id = ? AND r.user_id = ''",
            "SELECT seq FROM call_signals WHERE call_id = ? AND seq > 0 ORDER BY seq DESC LIMIT 9",
        ]
    )
    func indexes(_ sql: String) async throws {
        let fixture = try await StoreFixture()
        let plan = try await fixture.store.pool.read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql, arguments: ["x"]).map { $0["detail"] as String }
        }
        #expect(plan.allSatisfy { $0.hasPrefix("SEARCH") && $0.contains("USING") }, "\(plan)")
    }
}
