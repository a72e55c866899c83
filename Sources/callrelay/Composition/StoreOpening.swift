import CallStore
import Foundation
import NIOCore
import NIOPosix
import Postgres
import ServerConfiguration

/// Opens the call store that the configuration names.
enum StoreOpening {
    /// Opens the database, making the directory of a file if need be. A server is not connected to yet.
    static func open(_ settings: DatabaseSettings) throws -> any CallDatabase {
        // What follows a commit is mostly emitting to sockets: on an event loop that wakes nobody for each.
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let storeLoop = StoreLoop(
            run: { loop.execute($0) },
            runLater: { delay, work in _ = loop.scheduleTask(in: TimeAmount(delay), work) }
        )
        switch settings.location {
        case .sqlite(let path): return try open(path: path, storeLoop)
        case .postgres(let url):
            guard PostgresURL.name(of: url) != nil else { throw unreadableURL }
            return PostgresCallStore(url: url, connections: settings.connections, loop: storeLoop)
        }
    }

    private static func open(path: String, _ loop: StoreLoop) throws -> SQLiteCallStore {
        let directory = URL(filePath: path).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            return try SQLiteCallStore(path: path, loop: loop)
        } catch let failure as StoreFailure {
            throw CommandFailure.start("DATABASE_URL: \(MigrationFailure.store(failure).message)")
        } catch {
            throw CommandFailure.start("DATABASE_URL: cannot make the directory of \"\(path)\"")
        }
    }

    /// Names no part of the URL, since any of them may be part of a password that was not encoded.
    private static let unreadableURL = CommandFailure.configuration(
        "DATABASE_URL: libpq cannot read the URL; a password's special characters are written in percent-encoding"
    )

    /// Opens the database and sees to its schema: applies what is pending, or refuses if that is switched off.
    static func openMigrated(_ settings: DatabaseSettings) async throws -> (any CallDatabase, applied: [Migration]) {
        let store = try open(settings)
        let failure: CommandFailure
        do throws(MigrationFailure) {
            if settings.migrates { return (store, try await store.migrate()) }
            let pending = try await store.pendingMigrations()
            if pending.isEmpty { return (store, []) }
            let names = pending.map(\.name).joined(separator: ", ")
            failure = .start("DATABASE_MIGRATE: is false, but \(names) is pending; run callrelay migrate")
        } catch {
            failure = .start("DATABASE_URL: \(error.message)")
        }
        await close(store)
        throw failure
    }

    /// Applies what is pending and answers the names of it.
    static func migrate(_ settings: DatabaseSettings) async throws -> [String] {
        let store = try open(settings)
        let result: Result<[String], CommandFailure>
        do throws(MigrationFailure) {
            result = .success(try await store.migrate().map(\.name))
        } catch {
            result = .failure(.start("DATABASE_URL: \(error.message)"))
        }
        await close(store)
        return try result.get()
    }

    /// Before the process ends with another failure, which is the one to be told of.
    private static func close(_ store: any CallDatabase) async {
        try? await store.close()
    }

    /// The database in words for people.
    static func name(of location: DatabaseSettings.Location) -> String {
        switch location {
        case .sqlite(let path): path
        case .postgres(let url): PostgresURL.name(of: url) ?? "PostgreSQL"
        }
    }
}
