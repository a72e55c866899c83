import Postgres

extension PostgresStatement {
    /// No row if it was there already.
    static let enterNode = PostgresStatement(
        "enter node",
        [.text],
        """
        INSERT INTO call_nodes AS node (node_id, seen_at)
        VALUES ($1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
        ON CONFLICT (node_id) DO NOTHING RETURNING 1
        """
    )

    static let keepNode = PostgresStatement(
        "keep node",
        [.text],
        """
        UPDATE call_nodes SET seen_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint WHERE node_id = $1
        """
    )

    static let findLostNodes = PostgresStatement(
        "find lost nodes",
        [.bigint],
        """
        SELECT node_id FROM call_nodes
        WHERE seen_at < (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1 ORDER BY node_id
        """
    )

    /// $1: for how long a node may be silent.
    static let findLostSessions = PostgresStatement(
        "find lost sessions",
        [.bigint, .bigint],
        """
        SELECT call_id, user_id, session FROM call_participants
        WHERE session IS NOT NULL AND session NOT LIKE 'room/%' AND split_part(session, '.', 1) NOT IN (
            SELECT node_id FROM call_nodes
            WHERE seen_at >= (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1)
        ORDER BY call_id LIMIT $2
        """
    )

    static let forgetNode = PostgresStatement("forget node", [.text], "DELETE FROM call_nodes WHERE node_id = $1")
}
