extension SchemaStep {
    /// `migrations/004_voice_video_calls.sql`, word for word, so that the binary needs no file beside it.
    static let postgresVoiceVideoCalls = SchemaStep(
        version: 4,
        name: "004_voice_video_calls",
        sql: """
            -- Voice and video calls: state, audit, and the signals that are kept for whoever missed them.
            --
            --   psql -U enterprise_user -d enterprise_db -f migrations/004_voice_video_calls.sql
            --
            -- An ordinary role that may create tables in its schema is enough. Applying it again changes nothing.

            BEGIN;

            -- The ledger of applied migrations. `checksum` is empty for one that was applied by hand; the server fills it in.
            CREATE TABLE IF NOT EXISTS schema_migrations (
                version     integer PRIMARY KEY,
                name        text NOT NULL,
                checksum    text NOT NULL DEFAULT '',
                applied_at  bigint NOT NULL
            );

            -- Times are milliseconds since 1970-01-01T00:00:00Z, as the server counts them.
            CREATE TABLE IF NOT EXISTS call_sessions (
                call_id           text PRIMARY KEY CHECK (length(call_id) BETWEEN 1 AND 64),
                room_id           text NOT NULL CHECK (octet_length(room_id) BETWEEN 1 AND 255),
                call_type         text NOT NULL CHECK (call_type IN ('voice', 'video')),
                is_group          boolean NOT NULL,
                is_relay_only     boolean NOT NULL,
                state             text NOT NULL CHECK (state IN ('ringing', 'connecting', 'active', 'ended')),
                created_by        text NOT NULL CHECK (octet_length(created_by) BETWEEN 1 AND 255),
                created_at        bigint NOT NULL,
                answered_at       bigint,
                ended_at          bigint,
                end_reason        text CHECK (
                    end_reason IN ('hangup', 'cancelled', 'rejected', 'busy', 'missed', 'left', 'failed')),
                ended_by          text,
                seq               bigint NOT NULL CHECK (seq >= 1),
                version           bigint NOT NULL CHECK (version >= 1),
                ring_deadline     bigint,
                connect_deadline  bigint,
                purge_deadline    bigint,
                -- The earliest of all deadlines of the call and its participants: what the sweep looks for.
                next_deadline     bigint,
                CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
                CHECK ((state = 'ended') = (end_reason IS NOT NULL))
            );

            -- One call a room that has not ended.
            CREATE UNIQUE INDEX IF NOT EXISTS call_sessions_one_active_per_room
                ON call_sessions (room_id) WHERE state <> 'ended';
            CREATE INDEX IF NOT EXISTS call_sessions_due
                ON call_sessions (next_deadline) WHERE next_deadline IS NOT NULL;
            CREATE INDEX IF NOT EXISTS call_sessions_ended
                ON call_sessions (ended_at) WHERE state = 'ended';

            CREATE TABLE IF NOT EXISTS call_participants (
                call_id         text NOT NULL REFERENCES call_sessions (call_id) ON DELETE CASCADE,
                user_id         text NOT NULL CHECK (octet_length(user_id) BETWEEN 1 AND 255),
                -- The creator is 0, then the invited in the order in which they were named.
                position        integer NOT NULL CHECK (position >= 0),
                device_id       text CHECK (octet_length(device_id) BETWEEN 1 AND 255),
                state           text NOT NULL CHECK (
                    state IN ('invited', 'ringing', 'joined', 'reconnecting', 'left', 'rejected', 'missed')),
                audio_enabled   boolean NOT NULL,
                video_enabled   boolean NOT NULL,
                joined_at       bigint,
                left_at         bigint,
                -- The socket by which the user is in the call now.
                session         text,
                -- The event with which that session, or the last one, began; 0 before the first.
                session_seq     bigint NOT NULL DEFAULT 0,
                grace_deadline  bigint,
                -- Copies of the call's own, so that a user's lists are read from one index.
                created_at      bigint NOT NULL,
                is_ended        boolean NOT NULL,
                PRIMARY KEY (call_id, user_id),
                UNIQUE (call_id, position),
                CHECK (session IS NULL OR state = 'joined'),
                CHECK ((state = 'reconnecting') = (grace_deadline IS NOT NULL))
            );

            CREATE INDEX IF NOT EXISTS call_participants_active
                ON call_participants (user_id, created_at DESC, call_id DESC) WHERE NOT is_ended;
            CREATE INDEX IF NOT EXISTS call_participants_history
                ON call_participants (user_id, created_at DESC, call_id DESC) WHERE is_ended;
            CREATE INDEX IF NOT EXISTS call_participants_sessions
                ON call_participants (call_id) WHERE session IS NOT NULL;

            -- The audit: what happened, who did it and when, and how large it was. Never what was in it.
            CREATE TABLE IF NOT EXISTS call_events (
                call_id    text NOT NULL REFERENCES call_sessions (call_id) ON DELETE CASCADE,
                seq        bigint NOT NULL CHECK (seq >= 1),
                kind       text NOT NULL CHECK (length(kind) BETWEEN 1 AND 32),
                detail     text,
                user_id    text,
                device_id  text,
                to_user    text,
                size       integer CHECK (size >= 0),
                at         bigint NOT NULL,
                PRIMARY KEY (call_id, seq)
            );

            -- Events as clients hear them, session descriptions and candidates among them, for whoever missed them. The newest of
            -- a call are kept while it lasts; all go soon after its end.
            CREATE TABLE IF NOT EXISTS call_signals (
                call_id    text NOT NULL REFERENCES call_sessions (call_id) ON DELETE CASCADE,
                seq        bigint NOT NULL CHECK (seq >= 1),
                event      text NOT NULL,
                scope      text NOT NULL CHECK (scope IN ('invited', 'audience', 'joined', 'joinedAndOwn')),
                from_user  text,
                to_user    text,
                payload    text NOT NULL,
                PRIMARY KEY (call_id, seq)
            );

            -- What came of requests that carried an Idempotency-Key. `status` is empty while the first one is being worked on.
            CREATE TABLE IF NOT EXISTS idempotency_keys (
                user_id     text NOT NULL,
                route       text NOT NULL,
                key         text NOT NULL,
                body_hash   text NOT NULL,
                status      integer,
                call_id     text,
                body        text,
                claimed_at  bigint NOT NULL,
                PRIMARY KEY (user_id, route, key)
            );

            CREATE INDEX IF NOT EXISTS idempotency_keys_age ON idempotency_keys (claimed_at);

            -- IF NOT EXISTS also passes over somebody else's table of the same name. Naming the columns fails then, and with it the
            -- whole file, instead of a server that meets the wrong table later.
            DO $$
            BEGIN
                PERFORM call_id, room_id, call_type, is_group, is_relay_only, state, created_by, created_at, answered_at, ended_at,
                    end_reason, ended_by, seq, version, ring_deadline, connect_deadline, purge_deadline, next_deadline
                    FROM call_sessions LIMIT 0;
                PERFORM call_id, user_id, position, device_id, state, audio_enabled, video_enabled, joined_at, left_at, session,
                    session_seq, grace_deadline, created_at, is_ended
                    FROM call_participants LIMIT 0;
                PERFORM call_id, seq, kind, detail, user_id, device_id, to_user, size, at FROM call_events LIMIT 0;
                PERFORM call_id, seq, event, scope, from_user, to_user, payload FROM call_signals LIMIT 0;
                PERFORM user_id, route, key, body_hash, status, call_id, body, claimed_at FROM idempotency_keys LIMIT 0;
            END
            $$;

            INSERT INTO schema_migrations (version, name, applied_at)
            VALUES (4, '004_voice_video_calls', (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
            ON CONFLICT (version) DO NOTHING;

            COMMIT;

            """
    )
}
