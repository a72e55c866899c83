public import CallModel
import Postgres

extension PostgresCallStore {
    /// The call of this id.
    public func call(_ id: CallID) async throws(StoreFailure) -> Call? {
        let command = PostgresCommand(.loadCall) { $0.append(id.rawValue) }
        return try await read(command) { rows throws(StoreFailure) in try rows.calls().first }
    }

    /// The room's call that has not ended.
    public func activeCall(inRoom roomID: String) async throws(StoreFailure) -> Call? {
        let command = PostgresCommand(.loadActiveCall) { $0.append(roomID) }
        return try await read(command) { rows throws(StoreFailure) in try rows.calls().first }
    }

    /// The calls of a user's audience that have not ended, the newest first.
    public func activeCalls(of user: UserID, limit: Int) async throws(StoreFailure) -> [Call] {
        let command = PostgresCommand(.listActiveCalls) {
            $0.append(user)
            $0.append(Int64(limit))
        }
        return try await read(command) { rows throws(StoreFailure) in try rows.calls() }
    }

    /// The ended calls of a user's audience, the newest first, older than `cursor`.
    public func history(
        of user: UserID,
        before cursor: HistoryCursor?,
        limit: Int
    ) async throws(StoreFailure) -> [Call] {
        let command = PostgresCommand(.listHistory) {
            $0.append(user)
            $0.append(cursor?.createdAt.milliseconds ?? .max)
            $0.append(cursor?.callID.rawValue ?? "")
            $0.append(Int64(limit))
        }
        return try await read(command) { rows throws(StoreFailure) in try rows.calls() }
    }

    /// The audit of a call, in order.
    public func events(
        of id: CallID,
        after sequence: Int64,
        limit: Int
    ) async throws(StoreFailure) -> [CallEvent] {
        let command = PostgresCommand(.listEvents) {
            $0.append(id.rawValue)
            $0.append(sequence)
            $0.append(Int64(limit))
        }
        return try await read(command) { rows throws(StoreFailure) in try rows.events() }
    }

    /// What clients were told, in order; the newest that are kept.
    public func outgoingEvents(of id: CallID, after sequence: Int64) async throws(StoreFailure) -> [OutgoingEvent] {
        let command = PostgresCommand(.listSignals) {
            $0.append(id.rawValue)
            $0.append(sequence)
            $0.append(Int64(CallLimits.keptEvents))
        }
        return try await read(command) { rows throws(StoreFailure) in try rows.signals(of: id) }
    }

    /// Calls with a deadline that is due, the longest due first.
    public func callsDue(at now: Timestamp, limit: Int) async throws(StoreFailure) -> [CallID] {
        let command = PostgresCommand(.findDueCalls) {
            $0.append(now.milliseconds)
            $0.append(Int64(limit))
        }
        return try await read(command) { rows throws(StoreFailure) in try rows.callIDs() }
    }

    /// Calls in which somebody is joined by a socket.
    public func callsWithSessions() async throws(StoreFailure) -> [CallID] {
        try await read(PostgresCommand(.findJoinedCalls)) { rows throws(StoreFailure) in try rows.callIDs() }
    }

    /// The calls that ended after a moment, in the order in which they did; the newest `limit` of them.
    public func callsEnded(after moment: Timestamp, limit: Int) async throws(StoreFailure) -> [CallEnding] {
        let command = PostgresCommand(.findEndedCalls) {
            $0.append(moment.milliseconds)
            $0.append(Int64(limit))
        }
        return try await read(command) { rows throws(StoreFailure) in try rows.endings().reversed() }
    }

    /// The newest event's number of each of these calls that is there.
    public func sequences(of ids: [CallID]) async throws(StoreFailure) -> [CallID: Int64] {
        let command = PostgresCommand(.readSequences) { $0.append(texts: ids) { $0.rawValue } }
        return try await read(command) { rows throws(StoreFailure) in
            var sequences: [CallID: Int64] = [:]
            for row in 0..<rows.rowCount {
                guard let id = rows.text(row, 0).flatMap(CallID.init), let sequence = rows.number(row, 1) else {
                    throw .corrupt(operation: "read call")
                }
                sequences[id] = sequence
            }
            return sequences
        }
    }

    /// The calls that ring for one of these users.
    public func callsRinging(for users: [UserID]) async throws(StoreFailure) -> [CallID] {
        let command = PostgresCommand(.findRingingCalls) { $0.append(texts: users) { $0 } }
        return try await read(command) { rows throws(StoreFailure) in try rows.callIDs() }
    }
}
