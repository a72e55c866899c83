-- What others are to be told of calls, until they were told.
--
--   psql -U enterprise_user -d enterprise_db -f migrations/006_call_outbox.sql
--
-- Needs 004. An ordinary role that owns the tables of 004 is enough. Applying it again changes nothing.

BEGIN;

-- A row is written with the change that it tells of, and goes when the receiver has taken it. Of one call they go out in the
-- order of their events; `notice_id` stays the same however often one is sent.
CREATE TABLE IF NOT EXISTS call_outbox (
    call_id       text NOT NULL REFERENCES call_sessions (call_id) ON DELETE CASCADE,
    seq           bigint NOT NULL CHECK (seq >= 1),
    notice_id     text NOT NULL UNIQUE,
    payload       text NOT NULL,
    attempts      integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Not to be sent before; whoever sends it now moves this ahead, so that nobody else does.
    next_attempt  bigint NOT NULL,
    created_at    bigint NOT NULL,
    -- The receiver never took it; it is kept for people to see, and goes with its call.
    given_up_at   bigint,
    PRIMARY KEY (call_id, seq)
);

CREATE INDEX IF NOT EXISTS call_outbox_due ON call_outbox (next_attempt) WHERE given_up_at IS NULL;

-- IF NOT EXISTS also passes over somebody else's table of the same name; naming the columns fails then.
DO $$
BEGIN
    PERFORM call_id, seq, notice_id, payload, attempts, next_attempt, created_at, given_up_at FROM call_outbox LIMIT 0;
END
$$;

INSERT INTO schema_migrations (version, name, applied_at)
VALUES (6, '006_call_outbox', (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
ON CONFLICT (version) DO NOTHING;

COMMIT;
