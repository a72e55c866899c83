extension SchemaStep {
    /// `migrations/sqlite/004_voice_video_calls.sql`, word for word, so that the binary needs no file beside it.
    static let sqliteVoiceVideoCalls = SchemaStep(
        version: 4,
        name: "004_voice_video_calls",
        sql: """
            -- Voice and video calls: state, audit, and the signals that are kept for whoever missed them.
            -- The twin of migrations/004_voice_video_calls.sql, which says what the columns mean. The server applies this one itself.

            CREATE TABLE call_sessions (
                call_id           TEXT NOT NULL PRIMARY KEY CHECK (length(call_id) BETWEEN 1 AND 64),
                room_id           TEXT NOT NULL CHECK (length(CAST(room_id AS BLOB)) BETWEEN 1 AND 255),
                call_type         TEXT NOT NULL CHECK (call_type IN ('voice', 'video')),
                is_group          INTEGER NOT NULL CHECK (is_group IN (0, 1)),
                is_relay_only     INTEGER NOT NULL CHECK (is_relay_only IN (0, 1)),
                state             TEXT NOT NULL CHECK (state IN ('ringing', 'connecting', 'active', 'ended')),
                created_by        TEXT NOT NULL CHECK (length(CAST(created_by AS BLOB)) BETWEEN 1 AND 255),
                created_at        INTEGER NOT NULL,
                answered_at       INTEGER,
                ended_at          INTEGER,
                end_reason        TEXT CHECK (
                    end_reason IN ('hangup', 'cancelled', 'rejected', 'busy', 'missed', 'left', 'failed')),
                ended_by          TEXT,
                seq               INTEGER NOT NULL CHECK (seq >= 1),
                version           INTEGER NOT NULL CHECK (version >= 1),
                ring_deadline     INTEGER,
                connect_deadline  INTEGER,
                purge_deadline    INTEGER,
                next_deadline     INTEGER,
                CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
                CHECK ((state = 'ended') = (end_reason IS NOT NULL))
            ) WITHOUT ROWID;

            CREATE UNIQUE INDEX call_sessions_one_active_per_room ON call_sessions (room_id) WHERE state <> 'ended';
            CREATE INDEX call_sessions_due ON call_sessions (next_deadline) WHERE next_deadline IS NOT NULL;
            CREATE INDEX call_sessions_ended ON call_sessions (ended_at) WHERE state = 'ended';

            CREATE TABLE call_participants (
                call_id         TEXT NOT NULL REFERENCES call_sessions (call_id) ON DELETE CASCADE,
                user_id         TEXT NOT NULL CHECK (length(CAST(user_id AS BLOB)) BETWEEN 1 AND 255),
                position        INTEGER NOT NULL CHECK (position >= 0),
                device_id       TEXT CHECK (length(CAST(device_id AS BLOB)) BETWEEN 1 AND 255),
                state           TEXT NOT NULL CHECK (
                    state IN ('invited', 'ringing', 'joined', 'reconnecting', 'left', 'rejected', 'missed')),
                audio_enabled   INTEGER NOT NULL CHECK (audio_enabled IN (0, 1)),
                video_enabled   INTEGER NOT NULL CHECK (video_enabled IN (0, 1)),
                joined_at       INTEGER,
                left_at         INTEGER,
                session         TEXT,
                session_seq     INTEGER NOT NULL DEFAULT 0,
                grace_deadline  INTEGER,
                created_at      INTEGER NOT NULL,
                is_ended        INTEGER NOT NULL CHECK (is_ended IN (0, 1)),
                PRIMARY KEY (call_id, user_id),
                UNIQUE (call_id, position),
                CHECK (session IS NULL OR state = 'joined'),
                CHECK ((state = 'reconnecting') = (grace_deadline IS NOT NULL))
            ) WITHOUT ROWID;

            CREATE INDEX call_participants_active
                ON call_participants (user_id, created_at DESC, call_id DESC) WHERE is_ended = 0;
            CREATE INDEX call_participants_history
                ON call_participants (user_id, created_at DESC, call_id DESC) WHERE is_ended = 1;
            CREATE INDEX call_participants_sessions ON call_participants (call_id) WHERE session IS NOT NULL;

            CREATE TABLE call_events (
                call_id    TEXT NOT NULL REFERENCES call_sessions (call_id) ON DELETE CASCADE,
                seq        INTEGER NOT NULL CHECK (seq >= 1),
                kind       TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 32),
                detail     TEXT,
                user_id    TEXT,
                device_id  TEXT,
                to_user    TEXT,
                size       INTEGER CHECK (size >= 0),
                at         INTEGER NOT NULL,
                PRIMARY KEY (call_id, seq)
            ) WITHOUT ROWID;

            -- With a row id: payloads are large, and a table without one keeps them in the inner pages of its tree.
            CREATE TABLE call_signals (
                call_id    TEXT NOT NULL REFERENCES call_sessions (call_id) ON DELETE CASCADE,
                seq        INTEGER NOT NULL CHECK (seq >= 1),
                event      TEXT NOT NULL,
                scope      TEXT NOT NULL CHECK (scope IN ('invited', 'audience', 'joined', 'joinedAndOwn')),
                from_user  TEXT,
                to_user    TEXT,
                payload    TEXT NOT NULL,
                PRIMARY KEY (call_id, seq)
            );

            CREATE TABLE idempotency_keys (
                user_id     TEXT NOT NULL,
                route       TEXT NOT NULL,
                key         TEXT NOT NULL,
                body_hash   TEXT NOT NULL,
                status      INTEGER,
                call_id     TEXT,
                body        TEXT,
                claimed_at  INTEGER NOT NULL,
                PRIMARY KEY (user_id, route, key)
            ) WITHOUT ROWID;

            CREATE INDEX idempotency_keys_age ON idempotency_keys (claimed_at);

            """
    )
}
