import Postgres

/// Each change of a call is one statement: what hangs on the call's row is written if, and only if, that row was.
extension PostgresStatement {
    /// $1 the call, $2 the version it began from, $3 the number of the newest event then, $4 how many more there are; then
    /// these, then what clients are told of them, both numbered from 1.
    private static let appendTypes: [PostgresType] = [
        .text, .bigint, .bigint, .bigint,
        .bigints, .texts, .texts, .texts, .texts, .texts, .bigints, .bigints,
        .bigints, .texts, .texts, .texts, .texts, .texts,
    ]

    private static let append = """
        noted AS (
            INSERT INTO call_events (call_id, seq, kind, detail, user_id, device_id, to_user, size, at)
            SELECT moved.call_id, moved.seq - $4 + event.place, event.kind, event.detail, event.user_id,
                event.device_id, event.to_user, event.size, event.at
            FROM moved, unnest($5, $6, $7, $8, $9, $10, $11, $12)
                AS event (place, kind, detail, user_id, device_id, to_user, size, at)
        ), told AS (
            INSERT INTO call_signals (call_id, seq, event, scope, from_user, to_user, payload)
            SELECT moved.call_id, moved.seq - $4 + signal.place, signal.event, signal.scope, signal.from_user,
                signal.to_user, concat('{"callId":"', moved.call_id, '","seq":', moved.seq - $4 + signal.place, signal.body)
            FROM moved, unnest($13, $14, $15, $16, $17, $18) AS signal (place, event, scope, from_user, to_user, body)
        )
        """

    /// $19 to $21: what of it others are told.
    private static let noticeTypes: [PostgresType] = [.bigints, .texts, .texts]

    /// $22 to $28: what of it the room is told.
    private static let roomEventTypes: [PostgresType] = [.bigints, .bigints, .texts, .texts, .texts, .texts, .bigints]

    /// In the same transaction, since it is the same statement: nothing can come between a change and what is told of it.
    private static let appendAll = """
        \(append), boxed AS (
            INSERT INTO call_outbox (call_id, next_attempt, created_at, seq, notice_id, payload)
            SELECT moved.call_id, $12[cardinality($12)], $12[cardinality($12)], notice.*
            FROM moved, unnest($19, $20, $21) AS notice
        ), posted AS (
            INSERT INTO call_room_events (
                call_id, room_id, next_attempt, created_at, seq, part, event_type, sender, content, transaction_id, expires_at)
            SELECT moved.call_id, moved.room_id, $12[cardinality($12)], $12[cardinality($12)], event.*
            FROM moved, unnest($22, $23, $24, $25, $26, $27, $28) AS event
        )
        """

    /// $29 to $38: what of the call itself can change.
    private static let callTypes: [PostgresType] = [
        .text, .text, .bigint, .bigint, .text, .text, .bigint, .bigint, .bigint, .bigint,
    ]

    private static let updateCall = """
        UPDATE call_sessions SET
            seq = seq + $4, version = version + 1, call_type = $29, state = $30, answered_at = $31, ended_at = $32, end_reason = $33,
            ended_by = $34, ring_deadline = $35, connect_deadline = $36, purge_deadline = $37, next_deadline = $38
        WHERE call_id = $1 AND version = $2 AND seq = $3 RETURNING call_id, seq, room_id
        """

    /// $39 to $48: the participants.
    private static let participantTypes: [PostgresType] = [
        .texts, .texts, .texts, .booleans, .booleans, .bigints, .bigints, .texts, .bigints, .bigints,
    ]

    private static let participants = """
        unnest($39, $40, $41, $42, $43, $44, $45, $46, $47, $48) WITH ORDINALITY AS new (
            user_id, device_id, state, audio_enabled, video_enabled, joined_at, left_at, session, session_seq,
            grace_deadline, place)
        """

    /// $49 to $53: what of a call never changes.
    private static let newTypes: [PostgresType] = [.text, .boolean, .boolean, .text, .bigint]

    /// For what changes nothing else, which is most of what happens: whoever appended before, this comes after it. Answers
    /// the newest number.
    static let commitEvents = PostgresStatement(
        "commit events",
        appendTypes,
        """
        WITH moved AS (
            UPDATE call_sessions SET seq = seq + $4 WHERE call_id = $1 AND version = $2 RETURNING call_id, seq
        ), \(append)
        SELECT seq FROM moved
        """
    )

    static let commitCall = PostgresStatement(
        "commit call",
        appendTypes + noticeTypes + roomEventTypes + callTypes,
        "WITH moved AS (\(updateCall)), \(appendAll) SELECT 1 FROM moved"
    )

    static let commitParticipants = PostgresStatement(
        "commit participants",
        appendTypes + noticeTypes + roomEventTypes + callTypes + participantTypes,
        """
        WITH moved AS (\(updateCall)), people AS (
            UPDATE call_participants p SET
                device_id = new.device_id, state = new.state, audio_enabled = new.audio_enabled,
                video_enabled = new.video_enabled, joined_at = new.joined_at, left_at = new.left_at,
                session = new.session, session_seq = new.session_seq, grace_deadline = new.grace_deadline,
                is_ended = $30 = 'ended'
            FROM moved, \(participants)
            WHERE p.call_id = moved.call_id AND p.user_id = new.user_id
        ), \(appendAll)
        SELECT 1 FROM moved
        """
    )

    /// Says nothing of the room's one active call: that is a matter of the index.
    static let createCall = PostgresStatement(
        "create call",
        appendTypes + noticeTypes + roomEventTypes + callTypes + participantTypes + newTypes,
        """
        WITH moved AS (
            INSERT INTO call_sessions (
                call_id, seq, version, call_type, state, answered_at, ended_at, end_reason, ended_by, ring_deadline,
                connect_deadline, purge_deadline, next_deadline, room_id, is_group, is_relay_only, created_by,
                created_at)
            VALUES (
                $1, $4, 1, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $49, $50, $51, $52, $53)
            ON CONFLICT (room_id) WHERE state <> 'ended' DO NOTHING RETURNING call_id, seq, room_id
        ), people AS (
            INSERT INTO call_participants (
                call_id, position, user_id, device_id, state, audio_enabled, video_enabled, joined_at, left_at, session,
                session_seq, grace_deadline, created_at, is_ended)
            SELECT moved.call_id, new.place - 1, new.user_id, new.device_id, new.state, new.audio_enabled,
                new.video_enabled, new.joined_at, new.left_at, new.session, new.session_seq, new.grace_deadline, $53,
                $30 = 'ended'
            FROM moved, \(participants)
        ), \(appendAll)
        SELECT 1 FROM moved
        """
    )

    static let begin = PostgresStatement("begin", [], "BEGIN")
    static let commit = PostgresStatement("commit", [], "COMMIT")

    static let lockCall = PostgresStatement(
        "lock call",
        [.text],
        "SELECT 1 FROM call_sessions WHERE call_id = $1 FOR NO KEY UPDATE"
    )

    /// $2 is the version of the commit that it belongs to, without which nothing is purged.
    static let purgeSignals = PostgresStatement(
        "purge signals",
        [.text, .bigint],
        """
        DELETE FROM call_signals WHERE call_id = $1
            AND EXISTS (SELECT 1 FROM call_sessions WHERE call_id = $1 AND version = $2)
        """
    )

    static let dropOldSignals = PostgresStatement(
        "drop old signals",
        [.text, .bigint],
        """
        DELETE FROM call_signals WHERE call_id = $1 AND seq <= (
            SELECT seq FROM call_signals WHERE call_id = $1 ORDER BY seq DESC LIMIT 1 OFFSET $2)
        """
    )
}
