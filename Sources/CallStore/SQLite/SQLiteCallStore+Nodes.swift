import CallModel
import GRDB

extension SQLiteCallStore {
    /// Says that a node is there, and finds out which are not.
    public func keep(node: String, silence: Int64) async throws(StoreFailure) -> NodeCensus {
        try await write("keep node") { db in
            try db.cachedStatement(
                sql: """
                    UPDATE call_nodes SET seen_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
                    WHERE node_id = ?
                    """
            ).execute(arguments: [node])
            let isKnown = db.changesCount == 1
            if !isKnown {
                try db.cachedStatement(
                    sql: """
                        INSERT INTO call_nodes (node_id, seen_at)
                        VALUES (?, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))
                        """
                ).execute(arguments: [node])
            }
            let find = try db.cachedStatement(
                sql: """
                    SELECT node_id FROM call_nodes
                    WHERE seen_at < CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) - ? ORDER BY node_id
                    """
            )
            return NodeCensus(isKnown: isKnown, lost: try String.fetchAll(find, arguments: [silence]))
        }
    }

    /// Sockets in calls whose node is lost, or not known.
    public func lostSessions(silence: Int64, limit: Int) async throws(StoreFailure) -> [NodeSession] {
        try await read("find lost sessions") { db in
            let find = try db.cachedStatement(
                sql: """
                    SELECT call_id, user_id, session FROM call_participants
                    WHERE session IS NOT NULL AND session NOT LIKE 'room/%' AND substr(session, 1, instr(session || '.', '.') - 1) NOT IN (
                        SELECT node_id FROM call_nodes
                        WHERE seen_at >= CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) - ?)
                    ORDER BY call_id LIMIT ?
                    """
            )
            return try Row.fetchAll(find, arguments: [silence, limit]).map { row in
                guard let id = CallID(row["call_id"]) else { throw StoreFailure.corrupt(operation: "read session") }
                return NodeSession(callID: id, userID: row["user_id"], session: row["session"])
            }
        }
    }

    /// Forgets a node.
    public func forget(node: String) async throws(StoreFailure) {
        try await write("forget node") { db in
            try db.cachedStatement(sql: "DELETE FROM call_nodes WHERE node_id = ?").execute(arguments: [node])
        }
    }
}
