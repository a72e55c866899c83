import CPostgres

/// What libpq makes of a URL.
public enum PostgresURL {
    /// The database in words that may stand in a log, without its password; nil if libpq cannot read the URL.
    public static func name(of url: String) -> String? {
        guard let options = unsafe PQconninfoParse(url, nil) else { return nil }
        defer { unsafe PQconninfoFree(options) }
        let values = unsafe values(options)
        let database = values["dbname"] ?? values["user"] ?? "the default database"
        guard let host = values["host"] ?? values["hostaddr"] else { return "PostgreSQL, \(database)" }
        return "PostgreSQL, \(database) on \(host)" + (values["port"].map { ":\($0)" } ?? "")
    }

    /// The settings that have a value, by their keywords.
    static func values(_ options: UnsafeMutablePointer<PQconninfoOption>) -> [String: String] {
        var values: [String: String] = [:]
        var index = 0
        // libpq ends its list with an entry without a keyword.
        while let keyword = unsafe options[index].keyword {
            if let value = unsafe options[index].val {
                values[unsafe String(cString: keyword)] = unsafe String(cString: value)
            }
            index += 1
        }
        return values
    }
}
