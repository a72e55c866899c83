extension SchemaStep {
    /// `migrations/sqlite/005_call_relay.sql`, word for word, so that the binary needs no file beside it.
    static let sqliteCallRelay = SchemaStep(
        version: 5,
        name: "005_call_relay",
        sql: """
            -- What the relay carried for each participant of a call.
            -- The twin of migrations/005_call_relay.sql, which says what the columns mean. The server applies this one itself.

            CREATE TABLE call_relay (
                call_id         TEXT NOT NULL,
                user_id         TEXT NOT NULL,
                bytes_sent      INTEGER NOT NULL CHECK (bytes_sent >= 0),
                bytes_received  INTEGER NOT NULL CHECK (bytes_received >= 0),
                PRIMARY KEY (call_id, user_id),
                FOREIGN KEY (call_id, user_id) REFERENCES call_participants (call_id, user_id) ON DELETE CASCADE
            ) WITHOUT ROWID;

            """
    )
}
