/// One step of the schema, as the ledger knows it.
public struct Migration: Hashable, Sendable {
    /// Its number; steps are applied in order of it.
    public let version: Int
    /// Its file's name without the suffix.
    public let name: String

    /// Names one step.
    public init(version: Int, name: String) {
        self.version = version
        self.name = name
    }
}

/// Brings a store's schema to what this binary needs.
public protocol Migrator: Sendable {
    /// Steps that are not applied yet.
    func pendingMigrations() async throws(MigrationFailure) -> [Migration]
    /// Applies what is pending, one node at a time, and answers what it applied.
    func migrate() async throws(MigrationFailure) -> [Migration]
}

/// Why the schema cannot be brought up to date.
public enum MigrationFailure: Error, Hashable, Sendable {
    /// The store refused or cannot be reached.
    case store(StoreFailure)
    /// An applied step is not the one that this binary knows by that number.
    case changed(Migration)
    /// The store was written by a newer binary.
    case newer(version: Int)

    /// One sentence for the operator.
    public var message: String {
        switch self {
        case .store(.unavailable(let operation, let reason)): "cannot \(operation): \(reason)"
        case .store(.corrupt(let operation)): "the database holds what cannot be read (\(operation))"
        case .changed(let migration): "migration \(migration.name) was applied with another text than this binary's"
        case .newer(let version): "the database has migration \(version), which this binary does not know"
        }
    }
}
