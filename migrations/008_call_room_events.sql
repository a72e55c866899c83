-- What rooms of the homeserver are told of calls.
--
--   psql -U enterprise_user -d enterprise_db -f migrations/008_call_room_events.sql
--
-- Needs 004. An ordinary role that owns the tables of 004 is enough. Applying it again changes nothing.

BEGIN;

-- A row is written with the change that it tells of, and stays when it is settled, until its call goes: it says what came of it.
-- Those of one sender and one room go out in their order, and none of a call's before its invite.
CREATE TABLE IF NOT EXISTS call_room_events (
    call_id         text NOT NULL REFERENCES call_sessions (call_id) ON DELETE CASCADE,
    seq             bigint NOT NULL CHECK (seq >= 1),
    part            bigint NOT NULL CHECK (part >= 0),
    room_id         text NOT NULL,
    event_type      text NOT NULL,
    sender          text NOT NULL,
    -- The device whose token it was tried with, empty for a token of none: the homeserver tells repetitions by it.
    sender_device   text,
    content         text NOT NULL,
    transaction_id  text NOT NULL UNIQUE,
    attempts        integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Not to be sent before; whoever sends it now moves this ahead, so that nobody else does.
    next_attempt    bigint NOT NULL,
    created_at      bigint NOT NULL,
    -- Not to be sent from then on.
    expires_at      bigint NOT NULL,
    -- Once it is settled: the event's id in the room, or why it will never be there.
    event_id        text,
    undeliverable   text,
    -- Whether the call's audit tells of it, if it will never be there.
    is_audited      boolean NOT NULL DEFAULT false,
    PRIMARY KEY (call_id, seq, part)
);

CREATE INDEX IF NOT EXISTS call_room_events_due ON call_room_events (next_attempt)
    WHERE event_id IS NULL AND undeliverable IS NULL;
CREATE INDEX IF NOT EXISTS call_room_events_waiting ON call_room_events (room_id, sender)
    WHERE event_id IS NULL AND undeliverable IS NULL;
CREATE INDEX IF NOT EXISTS call_room_events_hopeless ON call_room_events (call_id)
    WHERE event_type = 'm.call.invite' AND undeliverable IS NOT NULL;
CREATE INDEX IF NOT EXISTS call_room_events_unaudited ON call_room_events (next_attempt)
    WHERE undeliverable IS NOT NULL AND NOT is_audited;

-- IF NOT EXISTS also passes over somebody else's table of the same name; naming the columns fails then.
DO $$
BEGIN
    PERFORM call_id, seq, part, room_id, event_type, sender, sender_device, content, transaction_id, attempts, next_attempt,
        created_at, expires_at, event_id, undeliverable, is_audited FROM call_room_events LIMIT 0;
END
$$;

INSERT INTO schema_migrations (version, name, applied_at)
VALUES (8, '008_call_room_events', (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
ON CONFLICT (version) DO NOTHING;

COMMIT;
