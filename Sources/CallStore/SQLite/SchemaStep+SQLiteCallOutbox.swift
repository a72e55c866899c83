extension SchemaStep {
    /// `migrations/sqlite/006_call_outbox.sql`, word for word, so that the binary needs no file beside it.
    static let sqliteCallOutbox = SchemaStep(
        version: 6,
        name: "006_call_outbox",
        sql: """
            -- What others are to be told of calls, until they were told.
            -- The twin of migrations/006_call_outbox.sql, which says what the columns mean. The server applies this one itself.

            CREATE TABLE call_outbox (
                call_id       TEXT NOT NULL REFERENCES call_sessions (call_id) ON DELETE CASCADE,
                seq           INTEGER NOT NULL CHECK (seq >= 1),
                notice_id     TEXT NOT NULL UNIQUE,
                payload       TEXT NOT NULL,
                attempts      INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
                next_attempt  INTEGER NOT NULL,
                created_at    INTEGER NOT NULL,
                given_up_at   INTEGER,
                PRIMARY KEY (call_id, seq)
            ) WITHOUT ROWID;

            CREATE INDEX call_outbox_due ON call_outbox (next_attempt) WHERE given_up_at IS NULL;

            """
    )
}
