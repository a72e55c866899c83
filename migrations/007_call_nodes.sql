-- The servers that share this database, and when each was last heard of.
--
--   psql -U enterprise_user -d enterprise_db -f migrations/007_call_nodes.sql
--
-- Needs 004. An ordinary role that may create tables in its schema is enough. Applying it again changes nothing.

BEGIN;

-- The sockets by which users are in calls (`call_participants.session`) begin with their server's `node_id` and a dot. A server
-- that has not been heard of for a while has none any more, and the others take its users' calls into the time of grace.
CREATE TABLE IF NOT EXISTS call_nodes (
    node_id  text PRIMARY KEY CHECK (length(node_id) BETWEEN 1 AND 32),
    -- By this database's clock: servers' own may differ.
    seen_at  bigint NOT NULL
);

-- IF NOT EXISTS also passes over somebody else's table of the same name; naming the columns fails then.
DO $$
BEGIN
    PERFORM node_id, seen_at FROM call_nodes LIMIT 0;
END
$$;

INSERT INTO schema_migrations (version, name, applied_at)
VALUES (7, '007_call_nodes', (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
ON CONFLICT (version) DO NOTHING;

COMMIT;
