-- What rooms of the homeserver are told of calls.
-- The twin of migrations/008_call_room_events.sql, which says what the columns mean. The server applies this one itself.

CREATE TABLE call_room_events (
    call_id         TEXT NOT NULL REFERENCES call_sessions (call_id) ON DELETE CASCADE,
    seq             INTEGER NOT NULL CHECK (seq >= 1),
    part            INTEGER NOT NULL CHECK (part >= 0),
    room_id         TEXT NOT NULL,
    event_type      TEXT NOT NULL,
    sender          TEXT NOT NULL,
    sender_device   TEXT,
    content         TEXT NOT NULL,
    transaction_id  TEXT NOT NULL UNIQUE,
    attempts        INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt    INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    event_id        TEXT,
    undeliverable   TEXT,
    is_audited      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (call_id, seq, part)
) WITHOUT ROWID;

CREATE INDEX call_room_events_due ON call_room_events (next_attempt)
    WHERE event_id IS NULL AND undeliverable IS NULL;
CREATE INDEX call_room_events_waiting ON call_room_events (room_id, sender)
    WHERE event_id IS NULL AND undeliverable IS NULL;
CREATE INDEX call_room_events_hopeless ON call_room_events (call_id)
    WHERE event_type = 'm.call.invite' AND undeliverable IS NOT NULL;
CREATE INDEX call_room_events_unaudited ON call_room_events (next_attempt)
    WHERE undeliverable IS NOT NULL AND is_audited = 0;
