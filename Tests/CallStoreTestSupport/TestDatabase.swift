package import CallStore
import Foundation
import GRDB
package import Postgres

/// The databases that calls can live in.
package enum TestDatabase: String, CaseIterable, Sendable {
    case sqlite, postgres

    /// Names the server that the tests may use, in libpq's form with at least one parameter.
    package static let serverVariable = "CALLRELAY_TEST_POSTGRES"

    package struct NoServer: Error, CustomStringConvertible {
        package var description: String {
            "\(serverVariable) names no PostgreSQL server: run the tests by `make test`, or give their command to"
                + " Tests/e2e/with_services.py"
        }
    }

    /// The server's URL.
    package static func server() throws -> String {
        guard let url = ProcessInfo.processInfo.environment[serverVariable] else { throw NoServer() }
        return url
    }

    /// A new and empty place for one database of this kind.
    package func place() async throws -> Place {
        switch self {
        case .sqlite:
            let folder = FileManager.default.temporaryDirectory.appending(path: "callstore-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            return .file(FileInFolder(folder))
        case .postgres:
            let server = try Self.server()
            // A schema is as good as a database, and made in no time. It goes with the server.
            let schema = "test_" + UUID().uuidString.replacing("-", with: "_").lowercased()
            try await Place.run("CREATE SCHEMA \(schema)", on: server)
            return .url(server + "&options=-csearch_path%3D" + schema)
        }
    }

    /// Where one database lies, to be opened once or more often.
    package enum Place: Sendable {
        case file(FileInFolder)
        case url(String)

        package func open() throws -> any CallDatabase {
            switch self {
            case .file(let file): try SQLiteCallStore(path: file.path)
            case .url(let url): PostgresCallStore(url: url, connections: 2)
            }
        }

        /// Does what SQL says, past the store.
        package func execute(_ sql: String) async throws {
            switch self {
            case .file(let file): try await DatabaseQueue(path: file.path).write { try $0.execute(sql: sql) }
            case .url(let url): try await Self.run(sql, on: url)
            }
        }

        /// The number that SQL answers, past the store.
        package func count(_ sql: String) async throws -> Int {
            switch self {
            case .file(let file):
                return try await DatabaseQueue(path: file.path).read { try Int.fetchOne($0, sql: sql) } ?? 0
            case .url(let url):
                let command = PostgresCommand(PostgresStatement("count", [], sql))
                return try await Self.use(url) { connection throws(PostgresFailure) in
                    let rows = try connection.exchange([[command]], deadline: .now + .seconds(30))[0].get()[0]
                    return Int(rows.number(0, 0) ?? 0)
                }
            }
        }

        /// How PostgreSQL would do a statement without knowing its values, in its own words.
        package func plan(_ statement: PostgresStatement) async throws -> String {
            guard case .url(let url) = self else { return "" }
            let types = statement.types.map(\.sqlName).joined(separator: ", ")
            let nulls = statement.types.map { _ in "NULL" }.joined(separator: ", ")
            let prepare = """
                SET plan_cache_mode = force_generic_plan;
                PREPARE explained \(types.isEmpty ? "" : "(\(types))") AS \(statement.sql)
                """
            let explain = PostgresStatement(
                "explain",
                [],
                "EXPLAIN EXECUTE explained\(nulls.isEmpty ? "" : "(\(nulls))")"
            )
            return try await Self.use(url) { connection throws(PostgresFailure) in
                try connection.run(script: prepare, name: statement.name, deadline: .now + .seconds(30))
                let rows = try connection.exchange([[PostgresCommand(explain)]], deadline: .now + .seconds(30))[0]
                    .get()[0]
                connection.retire()
                return (0..<rows.rowCount).map { rows.text($0, 0) ?? "" }.joined(separator: "\n")
            }
        }

        fileprivate static func run(_ script: String, on url: String) async throws {
            try await use(url) { connection throws(PostgresFailure) in
                try connection.run(script: script, name: "test", deadline: .now + .seconds(30))
            }
        }

        private static func use<Value: Sendable>(
            _ url: String,
            _ work: @escaping @Sendable (PostgresConnection) throws(PostgresFailure) -> Value
        ) async throws -> Value {
            let pool = PostgresPool(url: url, connections: 1)
            let result: Result<Value, PostgresFailure>
            do throws(PostgresFailure) {
                result = .success(try await pool.use(isRepeatable: false, work))
            } catch {
                result = .failure(error)
            }
            await pool.close()
            return try result.get()
        }
    }

    /// A database file in a folder of its own, which goes when nobody refers to it any more.
    package final class FileInFolder: Sendable {
        private let folder: URL

        package var path: String { folder.appending(path: "calls.db").path }

        fileprivate init(_ folder: URL) { self.folder = folder }

        deinit {
            do {
                try FileManager.default.removeItem(at: folder)
            } catch {
                fatalError("the test's folder stays behind: \(error)")
            }
        }
    }
}

extension PostgresType {
    fileprivate var sqlName: String {
        switch self {
        case .boolean: "boolean"
        case .bigint: "bigint"
        case .text: "text"
        case .booleans: "boolean[]"
        case .texts: "text[]"
        case .bigints: "bigint[]"
        }
    }
}
