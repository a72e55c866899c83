import Postgres

extension PostgresStatement {
    static let dueRoomEvents = PostgresStatement(
        "find room events",
        [.bigint, .bigint],
        """
        SELECT call_id, seq, part, sender, sender_device FROM call_room_events AS due
        WHERE next_attempt <= $1 AND event_id IS NULL AND undeliverable IS NULL AND NOT EXISTS (
            SELECT 1 FROM call_room_events AS earlier
            WHERE earlier.room_id = due.room_id AND earlier.sender = due.sender
                AND earlier.event_id IS NULL AND earlier.undeliverable IS NULL
                AND (earlier.created_at, earlier.call_id, earlier.seq, earlier.part)
                    < (due.created_at, due.call_id, due.seq, due.part)
        ) AND NOT EXISTS (
            SELECT 1 FROM call_room_events AS invite
            WHERE invite.call_id = due.call_id AND (invite.seq, invite.part) < (due.seq, due.part)
                AND invite.event_type = 'm.call.invite' AND invite.event_id IS NULL)
        ORDER BY next_attempt LIMIT $2
        """
    )

    /// $1 to $3 the place, $4 the device that it was tried with, $5 the one that it is tried with now, $6 now, $7 until when it is
    /// nobody else's.
    static let claimRoomEvent = PostgresStatement(
        "claim room event",
        [.text, .bigint, .bigint, .text, .text, .bigint, .bigint],
        """
        UPDATE call_room_events SET next_attempt = $7, attempts = attempts + 1, sender_device = $5
        WHERE call_id = $1 AND seq = $2 AND part = $3 AND next_attempt <= $6 AND event_id IS NULL
            AND undeliverable IS NULL AND sender_device IS NOT DISTINCT FROM $4
        RETURNING call_id, seq, part, room_id, event_type, sender, content, transaction_id, attempts::bigint, expires_at
        """
    )

    static let roomEventSent = PostgresStatement(
        "settle room event",
        [.text, .bigint, .bigint, .text],
        "UPDATE call_room_events SET event_id = $4 WHERE call_id = $1 AND seq = $2 AND part = $3"
    )

    static let postponeRoomEvent = PostgresStatement(
        "postpone room event",
        [.text, .bigint, .bigint, .bigint, .boolean],
        """
        UPDATE call_room_events
        SET next_attempt = $4, sender_device = CASE WHEN $5 THEN NULL ELSE sender_device END
        WHERE call_id = $1 AND seq = $2 AND part = $3
        """
    )

    static let giveUpRoomEvent = PostgresStatement(
        "give up room event",
        [.text, .bigint, .bigint, .text],
        """
        UPDATE call_room_events SET undeliverable = $4, next_attempt = 0 WHERE call_id = $1 AND seq = $2 AND part = $3
        """
    )

    /// $1 now, $2 the reason for what is late, $3 for what has no invite, $4 how many.
    static let giveUpRoomEvents = PostgresStatement(
        "give up room events",
        [.bigint, .text, .text, .bigint],
        """
        UPDATE call_room_events
        SET undeliverable = CASE WHEN expires_at <= $1 THEN $2 ELSE $3 END, next_attempt = 0
        WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM call_room_events AS event
            WHERE next_attempt <= $1 AND event_id IS NULL AND undeliverable IS NULL AND (expires_at <= $1 OR EXISTS (
                SELECT 1 FROM call_room_events AS invite WHERE invite.call_id = event.call_id
                    AND invite.event_type = 'm.call.invite' AND invite.undeliverable IS NOT NULL))
            ORDER BY next_attempt LIMIT $4 FOR UPDATE SKIP LOCKED))
        """
    )

    static let claimUnaudited = PostgresStatement(
        "claim unaudited room events",
        [.bigint, .bigint, .bigint],
        """
        UPDATE call_room_events SET next_attempt = $2
        WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM call_room_events
            WHERE undeliverable IS NOT NULL AND NOT is_audited AND next_attempt <= $1
            ORDER BY next_attempt LIMIT $3 FOR UPDATE SKIP LOCKED))
        RETURNING call_id, seq, part, event_type, sender, undeliverable
        """
    )

    static let settleAudit = PostgresStatement(
        "settle audit of room event",
        [.text, .bigint, .bigint],
        "UPDATE call_room_events SET is_audited = true WHERE call_id = $1 AND seq = $2 AND part = $3"
    )
}
