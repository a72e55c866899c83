public import CallModel
import GRDB

extension SQLiteCallStore {
    /// Adds to what the relay carried; whoever is no participant of a call that is there is passed over.
    public func addRelayUse(_ uses: [CallRelayUse]) async throws(StoreFailure) {
        guard !uses.isEmpty else { return }
        try await write("add relay use") { db in
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO call_relay (call_id, user_id, bytes_sent, bytes_received)
                    SELECT call_id, user_id, ?, ? FROM call_participants WHERE call_id = ? AND user_id = ?
                    ON CONFLICT (call_id, user_id) DO UPDATE SET
                        bytes_sent = bytes_sent + excluded.bytes_sent,
                        bytes_received = bytes_received + excluded.bytes_received
                    """
            )
            for entry in uses {
                try statement.execute(arguments: [
                    entry.use.bytesSent, entry.use.bytesReceived, entry.callID.rawValue, entry.userID,
                ])
            }
        }
    }

    /// The calls that ended after a moment, in the order in which they did; the newest `limit` of them.
    public func callsEnded(after moment: Timestamp, limit: Int) async throws(StoreFailure) -> [CallEnding] {
        try await read("find ended calls") { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT call_id, ended_at FROM call_sessions WHERE state = 'ended' AND ended_at > ?
                    ORDER BY ended_at DESC LIMIT ?
                    """
            )
            return try Row.fetchAll(statement, arguments: [moment.milliseconds, limit]).reversed().compactMap { row in
                CallID(row["call_id"] as String).map {
                    CallEnding(callID: $0, endedAt: Timestamp(milliseconds: row["ended_at"]))
                }
            }
        }
    }
}
