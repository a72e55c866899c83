extension SchemaStep {
    /// `migrations/sqlite/007_call_nodes.sql`, word for word, so that the binary needs no file beside it.
    static let sqliteCallNodes = SchemaStep(
        version: 7,
        name: "007_call_nodes",
        sql: """
            -- The servers that share this database, and when each was last heard of.
            -- The twin of migrations/007_call_nodes.sql, which says what the columns mean. The server applies this one itself.

            CREATE TABLE call_nodes (
                node_id  TEXT NOT NULL PRIMARY KEY CHECK (length(node_id) BETWEEN 1 AND 32),
                seen_at  INTEGER NOT NULL
            ) WITHOUT ROWID;

            """
    )
}
