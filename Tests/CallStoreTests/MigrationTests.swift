import CallModel
import CallStoreTestSupport
import Foundation
import GRDB
import Testing

@testable import CallStore

@Suite("Migrations")
struct MigrationTests {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test(
        "The binary carries the files under migrations, word for word and all of them",
        arguments: TestDatabase.allCases
    )
    func embedded(_ database: TestDatabase) throws {
        let steps = database == .sqlite ? SchemaStep.sqlite : SchemaStep.postgres
        let folder = Self.repository.appending(path: database == .sqlite ? "migrations/sqlite" : "migrations")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".sql") }
        #expect(files.sorted() == steps.map { "\($0.name).sql" })
        for step in steps {
            let text = try String(contentsOf: folder.appending(path: "\(step.name).sql"), encoding: .utf8)
            #expect(text == step.sql)
        }
    }

    /// SHA-256 of the files as they were released. Databases were made with them: a change belongs into a further step.
    private static let released = [
        "004_voice_video_calls.sql": "d61839d3865c4201b98dd6557a80e3d882b7d18f160c5658118d7993a3ce79d5",
        "005_call_relay.sql": "6ddd19cde9161093a2ddb008b3388cf89782c3f423190702a653a6f78ad99b44",
        "006_call_outbox.sql": "c4cf74f8d7cda4d3bea4d489037c32764b7401eb347643ce7208381ed5e496cc",
        "008_call_room_events.sql": "900bd61ec34c885895ca36644375875b049d081e64f35f3486a21a93560edecc",
        "007_call_nodes.sql": "449f71479810690824bd6969c8e98892457a99082e5b82f2b0b41da2f82c373d",
        "sqlite/004_voice_video_calls.sql": "d505e8f1e7919b402bba6053f79261d30fc714436046c31f201ced746e741d88",
        "sqlite/005_call_relay.sql": "a5dbde177d58298846a4860e2219efaacb8b281c1d65940ed9ef9847ad87d7ee",
        "sqlite/006_call_outbox.sql": "ed25563a6feb59dff9d91a1e6fa10516a475900e965f3df595fd372f19ed9431",
        "sqlite/008_call_room_events.sql": "4ed562ae31103884dcef68f443da052f3628d23727f87e113620d79fe72082ea",
        "sqlite/007_call_nodes.sql": "51069345abb11f52b933af128415c2a57f72aaaa7f389f08a8d91f0a01e88c94",
    ]

    @Test("A step that was released is not edited", arguments: released.keys.sorted())
    func unchanged(_ name: String) throws {
        let file = Self.repository.appending(path: "migrations/\(name)")
        let step = SchemaStep(version: 0, name: name, sql: try String(contentsOf: file, encoding: .utf8))
        #expect(step.checksum == Self.released[name])
    }

    @Test("Both databases have the same steps, tables and columns")
    func twins() throws {
        #expect(SchemaStep.postgres.map(\.migration) == SchemaStep.sqlite.map(\.migration))
        var names: Set<String> = []
        for (postgres, sqlite) in zip(SchemaStep.postgres, SchemaStep.sqlite) {
            let tables = Self.tables(sqlite.sql)
            #expect(Self.tables(postgres.sql).filter { $0.key != "schema_migrations" } == tables)
            names.formUnion(tables.keys)
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

    private static func refused(
        _ operation: String,
        _ statement: String,
        _ database: TestDatabase,
        _ code: (Int, String)
    )
        -> StoreFailure
    {
        switch database {
        case .sqlite: .unavailable(operation: operation, reason: "SQLite \(code.0)")
        case .postgres:
            .unavailable(operation: operation, reason: "PostgreSQL refused \"\(statement)\" with \(code.1)")
        }
    }

    @Test("Names are kept within the same lengths in bytes", arguments: TestDatabase.allCases)
    func nameLengths(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let long = String(repeating: "é", count: 128)
        for commit in [
            try StoreFixture.newCall(room: long), try StoreFixture.newCall(by: long),
            try StoreFixture.newCall(for: [long]),
        ] {
            await #expect(throws: Self.refused("create call", "create call", database, (275, "23514"))) {
                try await fixture.store.create(commit)
            }
        }
        let fitting = try StoreFixture.newCall(room: String(long.dropLast()))
        #expect(try await fixture.store.create(fitting) == .created)
        try await fixture.store.close()
    }

    @Test("Migrating twice applies once; pending steps are named before", arguments: TestDatabase.allCases)
    func twice(_ database: TestDatabase) async throws {
        let store = try await database.place().open()
        #expect(try await store.pendingMigrations().map(\.version) == [4, 5, 6, 7, 8])
        #expect(
            try await store.migrate().map(\.name) == [
                "004_voice_video_calls", "005_call_relay", "006_call_outbox", "007_call_nodes",
                "008_call_room_events",
            ]
        )
        #expect(try await store.pendingMigrations().isEmpty)
        #expect(try await store.migrate().isEmpty)
        try await store.close()
    }

    @Test("Of several nodes that start at the same time one migrates", arguments: TestDatabase.allCases)
    func together(_ database: TestDatabase) async throws {
        let place = try await database.place()
        let applied = try await withThrowingTaskGroup(of: [Migration].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let store = try place.open()
                    let applied = try await store.migrate()
                    try await store.close()
                    return applied
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(applied.map(\.count).sorted() == [0, 0, 0, 5])
    }

    @Test(
        "A step that was applied with another text, or by a newer binary, is refused",
        arguments: TestDatabase.allCases
    )
    func foreign(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let step = Migration(version: 4, name: "004_voice_video_calls")
        try await fixture.database.execute("UPDATE schema_migrations SET checksum = 'x' WHERE version = 4")
        await #expect(throws: MigrationFailure.changed(step)) { try await fixture.store.migrate() }
        try await fixture.database.execute("UPDATE schema_migrations SET version = 99 WHERE version = 8")
        await #expect(throws: MigrationFailure.newer(version: 99)) { try await fixture.store.migrate() }
        try await fixture.store.close()
    }

    @Test(
        "A database of the first step's time is brought up to date and keeps its calls",
        arguments: TestDatabase.allCases
    )
    func upgrade(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let commit = try StoreFixture.newCall()
        _ = try await fixture.store.create(commit)
        try await fixture.database.execute(
            "DROP TABLE call_relay; DROP TABLE call_outbox; DROP TABLE call_nodes; DROP TABLE call_room_events; DELETE FROM schema_migrations WHERE version > 4"
        )
        #expect(
            try await fixture.store.migrate() == [
                Migration(version: 5, name: "005_call_relay"), Migration(version: 6, name: "006_call_outbox"),
                Migration(version: 7, name: "007_call_nodes"), Migration(version: 8, name: "008_call_room_events"),
            ]
        )
        #expect(try await fixture.store.call(commit.transition.call.id) == commit.transition.call)
        try await fixture.store.close()
    }

    @Test("A step that psql applied is known, and its checksum entered")
    func byHand() async throws {
        let place = try await TestDatabase.postgres.place()
        try await place.execute(SchemaStep.postgresVoiceVideoCalls.sql)
        let store = try place.open()
        #expect(try await store.pendingMigrations().map(\.version) == [5, 6, 7, 8])
        #expect(try await store.migrate().map(\.version) == [5, 6, 7, 8])
        for step in SchemaStep.postgres {
            let entered = "SELECT count(*) FROM schema_migrations WHERE checksum = '\(step.checksum)'"
            #expect(try await place.count(entered) == 1)
        }
        try await store.close()
    }

    @Test("Failures name the statement and no value", arguments: TestDatabase.allCases)
    func failures(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        try await fixture.database.execute("DROP TABLE call_signals")
        let commit = try StoreFixture.newCall(room: "!secret")
        await #expect(throws: Self.refused("create call", "create call", database, (1, "42P01"))) {
            try await fixture.store.create(commit)
        }
        #expect(try await fixture.store.call(commit.transition.call.id) == nil, "all or nothing")
        try await fixture.store.close()
    }

    @Test(
        "What the API asks is answered from an index in SQLite",
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
        let fixture = try await StoreFixture(.sqlite)
        let store = try #require(fixture.store as? SQLiteCallStore)
        let plan = try await store.pool.read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql, arguments: ["x"]).map { $0["detail"] as String }
        }
        #expect(plan.allSatisfy { $0.hasPrefix("SEARCH") && $0.contains("USING") }, "\(plan)")
    }
}
