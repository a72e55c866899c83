import Postgres

extension PostgresStatement {
    /// Of each call the first, if nobody sends it already.
    static let claimNotices = PostgresStatement(
        "claim notices",
        [.bigint, .bigint, .bigint],
        """
        UPDATE call_outbox SET next_attempt = $2, attempts = attempts + 1
        WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM call_outbox AS due
            WHERE next_attempt <= $1 AND given_up_at IS NULL AND NOT EXISTS (
                SELECT 1 FROM call_outbox AS earlier WHERE earlier.call_id = due.call_id
                    AND earlier.seq < due.seq AND earlier.given_up_at IS NULL)
            ORDER BY next_attempt LIMIT $3 FOR UPDATE SKIP LOCKED))
        RETURNING call_id, seq, notice_id, payload, attempts, created_at
        """
    )

    static let dropNotice = PostgresStatement(
        "drop notice",
        [.text, .bigint],
        "DELETE FROM call_outbox WHERE call_id = $1 AND seq = $2"
    )

    /// With all that wait behind it, so that they need not be looked at before.
    static let postponeNotice = PostgresStatement(
        "postpone notice",
        [.text, .bigint, .bigint],
        "UPDATE call_outbox SET next_attempt = $3 WHERE call_id = $1 AND seq >= $2"
    )

    static let giveUpNotice = PostgresStatement(
        "give up notice",
        [.text, .bigint, .bigint],
        "UPDATE call_outbox SET given_up_at = $3 WHERE call_id = $1 AND seq = $2"
    )
}
