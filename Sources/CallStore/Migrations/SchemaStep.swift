import Crypto

/// A step of a database's schema with its text.
struct SchemaStep: Sendable {
    let version: Int
    let name: String
    let sql: String

    /// Every step of SQLite's schema, in order.
    static let sqlite = [
        sqliteVoiceVideoCalls, sqliteCallRelay, sqliteCallOutbox, sqliteCallNodes, sqliteCallRoomEvents,
    ]
    /// Every step of PostgreSQL's schema, in order.
    static let postgres = [
        postgresVoiceVideoCalls, postgresCallRelay, postgresCallOutbox, postgresCallNodes, postgresCallRoomEvents,
    ]

    var migration: Migration { Migration(version: version, name: name) }

    /// SHA-256 of the text in hexadecimal digits.
    var checksum: String {
        SHA256.hash(data: Array(sql.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// Those of `steps` that a ledger does not have; `applied` is the ledger's checksums by version, empty for a step that was
    /// applied by hand.
    static func pending(_ steps: [SchemaStep], applied: [Int: String]) throws(MigrationFailure) -> [SchemaStep] {
        if let newest = applied.keys.max(), let last = steps.last, newest > last.version {
            throw .newer(version: newest)
        }
        for step in steps {
            if let checksum = applied[step.version], !checksum.isEmpty, checksum != step.checksum {
                throw .changed(step.migration)
            }
        }
        return steps.filter { applied[$0.version] == nil }
    }
}
