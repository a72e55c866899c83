import CallStore
import Foundation
import NIOCore
import NIOPosix
import ServerConfiguration

/// Opens the call store that the configuration names.
enum StoreOpening {
    /// Opens the database, making its directory if need be.
    static func open(_ settings: DatabaseSettings) throws -> SQLiteCallStore {
        let directory = URL(filePath: settings.path).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            // What follows a commit is mostly emitting to sockets: on an event loop that wakes nobody for each.
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let storeLoop = StoreLoop(
                run: { loop.execute($0) },
                runLater: { delay, work in _ = loop.scheduleTask(in: TimeAmount(delay), work) }
            )
            return try SQLiteCallStore(path: settings.path, loop: storeLoop)
        } catch let failure as StoreFailure {
            throw CommandFailure.start("DATABASE_URL: \(MigrationFailure.store(failure).message)")
        } catch {
            throw CommandFailure.start("DATABASE_URL: cannot make the directory of \"\(settings.path)\"")
        }
    }

    /// Opens the database and sees to its schema: applies what is pending, or refuses if that is switched off.
    static func openMigrated(_ settings: DatabaseSettings) async throws -> (SQLiteCallStore, applied: [Migration]) {
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
        throw failure
    }

    /// Applies what is pending and answers the names of it.
    static func migrate(_ settings: DatabaseSettings) async throws -> [String] {
        let store = try open(settings)
        do throws(MigrationFailure) {
            return try await store.migrate().map(\.name)
        } catch {
            throw CommandFailure.start("DATABASE_URL: \(error.message)")
        }
    }
}
