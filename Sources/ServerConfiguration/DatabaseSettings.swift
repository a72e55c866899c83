/// Where calls are kept, and for how long.
public struct DatabaseSettings: Sendable {
    /// Path of the SQLite file, relative to the working directory unless absolute.
    public let path: String
    /// Whether `serve` applies pending migrations.
    public let migrates: Bool
    /// Age at which audit rows are pruned; nil keeps them for ever.
    public let eventRetention: Duration?

    init(_ reader: SettingReader) throws(ConfigurationFailure) {
        path = try reader.required(.databaseURL, "sqlite:PATH or postgres://…") { text in
            guard text.hasPrefix("sqlite:") else { return nil }
            let path = String(text.dropFirst("sqlite:".count))
            // sqlite:///absolute is what other tools write; sqlite://relative would name a host.
            if path.hasPrefix("///") { return String(path.dropFirst(2)) }
            return path.isEmpty || path.hasPrefix("//") || path.hasPrefix(":") ? nil : path
        }
        migrates = try reader.boolean(.databaseMigrate)
        eventRetention =
            reader.text(.eventRetention) == nil
            ? nil : try reader.duration(.eventRetention, in: .seconds(3_600)...(.seconds(3_650 * 86_400)))
    }
}
