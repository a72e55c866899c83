public import CallModel
import GRDB

extension SQLiteCallStore {
    static let loadCall = "SELECT * FROM call_sessions WHERE call_id = ?"

    /// The call of this id.
    public func call(_ id: CallID) async throws(StoreFailure) -> Call? {
        try await calls("load call", Self.loadCall, [id.rawValue]).first
    }

    /// The room's call that has not ended.
    public func activeCall(inRoom roomID: String) async throws(StoreFailure) -> Call? {
        let sql = "SELECT * FROM call_sessions WHERE room_id = ? AND state <> 'ended'"
        return try await calls("load active call", sql, [roomID]).first
    }

    /// The calls of a user's audience that have not ended, the newest first.
    public func activeCalls(of user: UserID, limit: Int) async throws(StoreFailure) -> [Call] {
        let sql = """
            SELECT c.* FROM call_participants p JOIN call_sessions c ON c.call_id = p.call_id
            WHERE p.user_id = ? AND p.is_ended = 0 ORDER BY p.created_at DESC, p.call_id DESC LIMIT ?
            """
        return try await calls("list active calls", sql, [user, limit])
    }

    /// The ended calls of a user's audience, the newest first, older than `cursor`.
    public func history(
        of user: UserID,
        before cursor: HistoryCursor?,
        limit: Int
    ) async throws(StoreFailure) -> [Call] {
        let sql = """
            SELECT c.* FROM call_participants p JOIN call_sessions c ON c.call_id = p.call_id
            WHERE p.user_id = ? AND p.is_ended = 1 AND (p.created_at, p.call_id) < (?, ?)
            ORDER BY p.created_at DESC, p.call_id DESC LIMIT ?
            """
        let place = cursor?.createdAt.milliseconds ?? Int64.max
        return try await calls("list history", sql, [user, place, cursor?.callID.rawValue ?? "", limit])
    }

    private func calls(
        _ operation: String,
        _ sql: String,
        _ arguments: StatementArguments
    ) async throws(StoreFailure) -> [Call] {
        try await read(operation) { db in
            let rows = try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments)
            return try Self.calls(rows, db)
        }
    }

    /// The audit of a call, in order.
    public func events(
        of id: CallID,
        after sequence: Int64,
        limit: Int
    ) async throws(StoreFailure) -> [CallEvent] {
        try await read("list events") { db in
            let statement = try db.cachedStatement(
                sql: "SELECT * FROM call_events WHERE call_id = ? AND seq > ? ORDER BY seq LIMIT ?"
            )
            return try Row.fetchAll(statement, arguments: [id.rawValue, sequence, limit]).map { row in
                let kind = CallEventKind(
                    name: row["kind"],
                    detail: row["detail"],
                    recipient: row["to_user"],
                    size: row["size"]
                )
                guard let kind else { throw StoreFailure.corrupt(operation: "read event") }
                return CallEvent(
                    sequence: row["seq"],
                    kind: kind,
                    at: Timestamp(milliseconds: row["at"]),
                    userID: row["user_id"],
                    deviceID: row["device_id"]
                )
            }
        }
    }

    /// What clients were told, in order; the newest that are kept.
    public func outgoingEvents(of id: CallID, after sequence: Int64) async throws(StoreFailure) -> [OutgoingEvent] {
        try await read("list signals") { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT * FROM (
                        SELECT seq, event, scope, from_user, to_user, payload FROM call_signals
                        WHERE call_id = ? AND seq > ? ORDER BY seq DESC LIMIT ?)
                    ORDER BY seq
                    """
            )
            let arguments: StatementArguments = [id.rawValue, sequence, CallLimits.keptEvents]
            return try Row.fetchAll(statement, arguments: arguments).map { row in
                guard let scope = EventScope(rawValue: row["scope"]) else {
                    throw StoreFailure.corrupt(operation: "read signal")
                }
                return OutgoingEvent(
                    callID: id,
                    sequence: row["seq"],
                    name: row["event"],
                    scope: scope,
                    sender: row["from_user"],
                    recipient: row["to_user"],
                    payload: row["payload"]
                )
            }
        }
    }

    /// Calls with a deadline that is due, the longest due first.
    public func callsDue(at now: Timestamp, limit: Int) async throws(StoreFailure) -> [CallID] {
        try await read("find due calls") { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT call_id FROM call_sessions WHERE next_deadline <= ? ORDER BY next_deadline LIMIT ?
                    """
            )
            return try String.fetchAll(statement, arguments: [now.milliseconds, limit]).compactMap(CallID.init)
        }
    }

    /// Calls in which somebody is joined by a socket.
    public func callsWithSessions() async throws(StoreFailure) -> [CallID] {
        try await read("find joined calls") { db in
            let sql = "SELECT DISTINCT call_id FROM call_participants WHERE session IS NOT NULL ORDER BY call_id"
            return try String.fetchAll(db, sql: sql).compactMap(CallID.init)
        }
    }

    /// The newest event's number of each of these calls that is there.
    public func sequences(of ids: [CallID]) async throws(StoreFailure) -> [CallID: Int64] {
        try await read("read sequences") { db in
            let statement = try db.cachedStatement(sql: "SELECT seq FROM call_sessions WHERE call_id = ?")
            var sequences: [CallID: Int64] = [:]
            for id in ids { sequences[id] = try Int64.fetchOne(statement, arguments: [id.rawValue]) }
            return sequences
        }
    }

    /// The calls that ring for one of these users.
    public func callsRinging(for users: [UserID]) async throws(StoreFailure) -> [CallID] {
        try await read("find ringing calls") { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT call_id FROM call_participants
                    WHERE user_id = ? AND is_ended = 0 AND state IN ('invited', 'ringing')
                    """
            )
            var found: Set<CallID> = []
            for user in users {
                found.formUnion(try String.fetchAll(statement, arguments: [user]).compactMap(CallID.init))
            }
            return Array(found)
        }
    }
}
