/// Where calls are kept, and for how long.
public struct DatabaseSettings: Sendable {
    /// A database.
    public enum Location: Hashable, Sendable {
        /// A file of SQLite's, its path relative to the working directory unless absolute.
        case sqlite(path: String)
        /// A database on a PostgreSQL server, as libpq names it. May carry a password.
        case postgres(url: String)
    }

    /// The database.
    public let location: Location
    /// Connections to PostgreSQL for reading; one more writes.
    public let connections: Int
    /// Whether `serve` applies pending migrations.
    public let migrates: Bool
    /// Age at which audit rows are pruned; nil keeps them for ever.
    public let eventRetention: Duration?

    init(_ reader: SettingReader) throws(ConfigurationFailure) {
        location = try reader.required(.databaseURL, "sqlite:PATH or postgres://…", Self.location)
        connections = try reader.number(.databaseConnections, in: 1...100)
        migrates = try reader.boolean(.databaseMigrate)
        eventRetention =
            reader.text(.eventRetention) == nil
            ? nil : try reader.duration(.eventRetention, in: .seconds(3_600)...(.seconds(3_650 * 86_400)))
    }

    private static func location(_ text: String) -> Location? {
        if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") { return .postgres(url: text) }
        guard text.hasPrefix("sqlite:") else { return nil }
        let path = String(text.dropFirst("sqlite:".count))
        // sqlite:///absolute is what other tools write; sqlite://relative would name a host.
        if path.hasPrefix("///") { return .sqlite(path: String(path.dropFirst(2))) }
        return path.isEmpty || path.hasPrefix("//") || path.hasPrefix(":") ? nil : .sqlite(path: path)
    }
}
