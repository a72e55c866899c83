import Postgres

extension PostgresStatement {
    static let addRelayUse = PostgresStatement(
        "add relay use",
        [.texts, .texts, .bigints, .bigints],
        """
        INSERT INTO call_relay AS r (call_id, user_id, bytes_sent, bytes_received)
        SELECT p.call_id, p.user_id, sum(use.sent)::bigint, sum(use.received)::bigint
        FROM unnest($1, $2, $3, $4) AS use (call_id, user_id, sent, received)
        JOIN call_participants p ON p.call_id = use.call_id AND p.user_id = use.user_id
        GROUP BY p.call_id, p.user_id ORDER BY p.call_id, p.user_id
        ON CONFLICT (call_id, user_id) DO UPDATE SET
            bytes_sent = r.bytes_sent + excluded.bytes_sent,
            bytes_received = r.bytes_received + excluded.bytes_received
        """
    )

    /// By the rows' places, which stand still while they are locked: by their ids the whole table would be read.
    static let pruneCalls = PostgresStatement(
        "prune calls",
        [.bigint, .bigint],
        """
        DELETE FROM call_sessions WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM call_sessions WHERE state = 'ended' AND ended_at < $1
            ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED))
        RETURNING 1
        """
    )

    static let pruneKeys = PostgresStatement(
        "prune idempotency keys",
        [.bigint],
        "DELETE FROM idempotency_keys WHERE claimed_at < $1"
    )

    /// $6 and $7: a key past its day, or one whose request died with its process, is as good as new; but a call that the
    /// latter was about to place may be there.
    static let claimKey = PostgresStatement(
        "claim idempotency key",
        [.text, .text, .text, .text, .bigint, .bigint, .bigint, .text],
        """
        INSERT INTO idempotency_keys AS k (user_id, route, key, body_hash, claimed_at, call_id)
        VALUES ($1, $2, $3, $4, $5, $8)
        ON CONFLICT (user_id, route, key) DO UPDATE SET
            call_id = CASE WHEN k.status IS NULL AND k.body_hash = excluded.body_hash AND k.claimed_at > $6
                THEN coalesce(k.call_id, excluded.call_id) ELSE excluded.call_id END,
            body_hash = excluded.body_hash, claimed_at = excluded.claimed_at, status = NULL, body = NULL
            WHERE k.claimed_at <= $6 OR (k.status IS NULL AND k.claimed_at <= $7)
        RETURNING call_id
        """
    )

    static let readKey = PostgresStatement(
        "read idempotency key",
        [.text, .text, .text],
        "SELECT body_hash, status, call_id, body FROM idempotency_keys WHERE user_id = $1 AND route = $2 AND key = $3"
    )

    static let settleKey = PostgresStatement(
        "settle idempotency key",
        [.text, .text, .text, .bigint, .text, .text],
        """
        UPDATE idempotency_keys SET status = $4, call_id = $5, body = $6 WHERE user_id = $1 AND route = $2 AND key = $3
        """
    )

    static let releaseKey = PostgresStatement(
        "release idempotency key",
        [.text, .text, .text, .bigint],
        """
        DELETE FROM idempotency_keys
        WHERE user_id = $1 AND route = $2 AND key = $3 AND status IS NULL AND claimed_at = $4
        """
    )

    /// $5: as long as a claim lives, so that this one is over.
    static let releaseKeyAndKeepCall = PostgresStatement(
        "release idempotency key, keep call",
        [.text, .text, .text, .bigint, .bigint],
        """
        UPDATE idempotency_keys SET claimed_at = claimed_at - $5
        WHERE user_id = $1 AND route = $2 AND key = $3 AND status IS NULL AND claimed_at = $4
        """
    )
}
