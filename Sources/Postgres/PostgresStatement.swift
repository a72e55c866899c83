/// What a parameter is, as PostgreSQL numbers its types (`pg_type.oid`).
public enum PostgresType: UInt32, Sendable {
    /// One truth value.
    case boolean = 16
    /// 64 bits.
    case bigint = 20
    /// UTF-8 text.
    case text = 25
    /// Any number of truth values.
    case booleans = 1000
    /// Any number of texts.
    case texts = 1009
    /// Any number of 64-bit numbers.
    case bigints = 1016
}

/// A statement that each connection prepares when it first needs it.
public struct PostgresStatement: Sendable {
    /// What it is called on the connection, in the log and in failures; one name, one text.
    public let name: String
    /// Its text; values come as `$1`, `$2` and so on, and never stand in it.
    public let sql: String
    /// The types of its parameters, in order.
    public let types: [PostgresType]

    /// A statement by its name.
    public init(_ name: String, _ types: [PostgresType], _ sql: String) {
        self.name = name
        self.types = types
        self.sql = sql
    }
}

/// A statement with the values for its parameters.
public struct PostgresCommand: Sendable {
    /// As many values as one command may have.
    static let valueLimit = 64

    let statement: PostgresStatement
    let values: PostgresValues

    /// What the statement is called.
    public var name: String { statement.name }

    /// Pairs a statement with as many values as it has parameters.
    public init(_ statement: PostgresStatement, _ fill: (inout PostgresValues) -> Void = { _ in }) {
        var values = PostgresValues()
        fill(&values)
        precondition(values.count == statement.types.count, "\(statement.name) wants \(statement.types.count) values")
        precondition(values.count <= Self.valueLimit, "\(statement.name) has too many values")
        self.statement = statement
        self.values = values
    }
}
