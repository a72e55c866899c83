import Postgres

extension PostgresStatement {
    private static let callColumns = """
        c.call_id, c.room_id, c.call_type, c.is_group, c.is_relay_only, c.state, c.created_by, c.created_at,
        c.answered_at, c.ended_at, c.end_reason, c.ended_by, c.seq, c.version, c.ring_deadline, c.connect_deadline,
        c.purge_deadline, p.user_id, p.device_id, p.state, p.audio_enabled, p.video_enabled, p.joined_at, p.left_at,
        p.session, p.session_seq, p.grace_deadline, r.bytes_sent, r.bytes_received
        """

    /// Calls with their participants in one look, one row a participant: what two statements saw might not fit together.
    private static let callTables = """
        JOIN call_participants p ON p.call_id = c.call_id
        LEFT JOIN call_relay r ON r.call_id = p.call_id AND r.user_id = p.user_id
        """

    static let loadCall = PostgresStatement(
        "load call",
        [.text],
        """
        SELECT \(callColumns) FROM call_sessions c \(callTables)
        WHERE c.call_id = $1 ORDER BY p.position
        """
    )

    static let loadActiveCall = PostgresStatement(
        "load active call",
        [.text],
        """
        SELECT \(callColumns) FROM call_sessions c \(callTables)
        WHERE c.room_id = $1 AND c.state <> 'ended' ORDER BY p.position
        """
    )

    static let listActiveCalls = PostgresStatement(
        "list active calls",
        [.text, .bigint],
        """
        WITH page AS (
            SELECT call_id, created_at FROM call_participants WHERE user_id = $1 AND NOT is_ended
            ORDER BY created_at DESC, call_id DESC LIMIT $2)
        SELECT \(callColumns) FROM page JOIN call_sessions c ON c.call_id = page.call_id \(callTables)
        ORDER BY page.created_at DESC, page.call_id DESC, p.position
        """
    )

    static let listHistory = PostgresStatement(
        "list history",
        [.text, .bigint, .text, .bigint],
        """
        WITH page AS (
            SELECT call_id, created_at FROM call_participants
            WHERE user_id = $1 AND is_ended AND (created_at, call_id) < ($2, $3)
            ORDER BY created_at DESC, call_id DESC LIMIT $4)
        SELECT \(callColumns) FROM page JOIN call_sessions c ON c.call_id = page.call_id \(callTables)
        ORDER BY page.created_at DESC, page.call_id DESC, p.position
        """
    )

    static let listEvents = PostgresStatement(
        "list events",
        [.text, .bigint, .bigint],
        """
        SELECT seq, kind, detail, user_id, device_id, to_user, size, at FROM call_events
        WHERE call_id = $1 AND seq > $2 ORDER BY seq LIMIT $3
        """
    )

    static let listSignals = PostgresStatement(
        "list signals",
        [.text, .bigint, .bigint],
        """
        SELECT seq, event, scope, from_user, to_user, payload FROM (
            SELECT * FROM call_signals WHERE call_id = $1 AND seq > $2 ORDER BY seq DESC LIMIT $3) AS newest
        ORDER BY seq
        """
    )

    static let findDueCalls = PostgresStatement(
        "find due calls",
        [.bigint, .bigint],
        "SELECT call_id FROM call_sessions WHERE next_deadline <= $1 ORDER BY next_deadline LIMIT $2"
    )

    static let findJoinedCalls = PostgresStatement(
        "find joined calls",
        [],
        "SELECT DISTINCT call_id FROM call_participants WHERE session IS NOT NULL ORDER BY call_id"
    )

    static let findEndedCalls = PostgresStatement(
        "find ended calls",
        [.bigint, .bigint],
        """
        SELECT call_id, ended_at FROM call_sessions WHERE state = 'ended' AND ended_at > $1
        ORDER BY ended_at DESC LIMIT $2
        """
    )

    static let readSequences = PostgresStatement(
        "read sequences",
        [.texts],
        "SELECT call_id, seq FROM call_sessions WHERE call_id = ANY ($1)"
    )

    static let findRingingCalls = PostgresStatement(
        "find ringing calls",
        [.texts],
        """
        SELECT DISTINCT call_id FROM call_participants
        WHERE user_id = ANY ($1) AND NOT is_ended AND state IN ('invited', 'ringing')
        """
    )

    /// All that the API and the upkeep ask, to be explained by a test.
    static let reading = [
        loadCall, loadActiveCall, listActiveCalls, listHistory, listEvents, listSignals, findDueCalls, findJoinedCalls,
        findEndedCalls, readSequences, findRingingCalls, dueRoomEvents,
    ]
}
