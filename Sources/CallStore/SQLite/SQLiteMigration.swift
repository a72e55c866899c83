import Crypto

/// A step of SQLite's schema with its text.
struct SQLiteMigration: Sendable {
    let version: Int
    let name: String
    let sql: String

    /// Every step, in order.
    static let all = [voiceVideoCalls, callRelay]

    var migration: Migration { Migration(version: version, name: name) }

    /// SHA-256 of the text in hexadecimal digits.
    var checksum: String {
        SHA256.hash(data: Array(sql.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
