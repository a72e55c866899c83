extension SchemaStep {
    /// `migrations/005_call_relay.sql`, word for word, so that the binary needs no file beside it.
    static let postgresCallRelay = SchemaStep(
        version: 5,
        name: "005_call_relay",
        sql: """
            -- What the relay carried for each participant of a call.
            --
            --   psql -U enterprise_user -d enterprise_db -f migrations/005_call_relay.sql
            --
            -- Needs 004. An ordinary role that owns the tables of 004 is enough. Applying it again changes nothing.

            BEGIN;

            -- `size` is the bytes of a relay allocation too, which an integer is too small for.
            ALTER TABLE call_events ALTER COLUMN size TYPE bigint;

            -- Bytes of payload as the participant sees them. A row is there if the relay was used.
            CREATE TABLE IF NOT EXISTS call_relay (
                call_id         text NOT NULL,
                user_id         text NOT NULL,
                bytes_sent      bigint NOT NULL CHECK (bytes_sent >= 0),
                bytes_received  bigint NOT NULL CHECK (bytes_received >= 0),
                PRIMARY KEY (call_id, user_id),
                FOREIGN KEY (call_id, user_id) REFERENCES call_participants (call_id, user_id) ON DELETE CASCADE
            );

            -- IF NOT EXISTS also passes over somebody else's table of the same name; naming the columns fails then.
            DO $$
            BEGIN
                PERFORM call_id, user_id, bytes_sent, bytes_received FROM call_relay LIMIT 0;
            END
            $$;

            INSERT INTO schema_migrations (version, name, applied_at)
            VALUES (5, '005_call_relay', (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
            ON CONFLICT (version) DO NOTHING;

            COMMIT;

            """
    )
}
