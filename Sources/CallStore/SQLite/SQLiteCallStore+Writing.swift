public import CallModel
import GRDB
import Locking

/// Asks for a commit when it is first needed, and keeps it: a transaction that is taken back is done again.
private final class PreparedOnce: Sendable {
    private let state: Locked<(prepare: (@Sendable () -> CallCommit?)?, commit: CallCommit?)>

    init(_ prepare: @escaping @Sendable () -> CallCommit?) { state = Locked((prepare, nil)) }

    var value: CallCommit? {
        state.withLock { state in
            if let prepare = state.prepare {
                state.commit = prepare()
                state.prepare = nil
            }
            return state.commit
        }
    }
}

extension SQLiteCallStore {
    /// Writes a new call; `roomTaken` if its room has one that has not ended.
    public func create(_ commit: CallCommit) async throws(StoreFailure) -> CreateOutcome {
        try await write("create call") { db in
            let call = commit.transition.call
            try db.cachedStatement(sql: Self.insertCall).execute(arguments: Self.callArguments(call))
            guard db.changesCount == 1 else { return .roomTaken }
            let insert = try db.cachedStatement(sql: Self.insertParticipant)
            for (position, participant) in call.participants.enumerated() {
                try insert.execute(arguments: Self.participantArguments(participant, at: position, in: call))
            }
            try Self.append(commit, db)
            return .created
        }
    }

    /// Writes a change if the stored call is still the one that it began from.
    public func commit(
        isPatient: Bool,
        prepare: @escaping @Sendable () -> CallCommit?,
        done: @escaping @Sendable (Result<CallCommit?, StoreFailure>) -> Void
    ) {
        let prepared = PreparedOnce(prepare)
        write("commit call", isPatient: isPatient, done: done) { db in
            try prepared.value.flatMap { try Self.write($0, db) }
        }
    }

    /// Changes a call as it is stored: one writes at a time anyway.
    public func change<Value: Sendable>(
        _ id: CallID,
        _ change: @escaping @Sendable (Call?) -> (commit: CallCommit?, value: Value)
    ) async throws(StoreFailure) -> Value {
        try await write("change call") { db in
            let rows = try Row.fetchAll(db.cachedStatement(sql: Self.loadCall), arguments: [id.rawValue])
            let (commit, value) = change(try Self.calls(rows, db).first)
            if let commit, try Self.write(commit, db) == nil { throw StoreFailure.corrupt(operation: "change call") }
            return value
        }
    }

    /// Answers what it wrote; nil if the stored call is not the one that it began from.
    private static func write(_ commit: CallCommit, _ db: Database) throws -> CallCommit? {
        let transition = commit.transition
        let call = transition.call
        if transition.onlyAppends {
            let sequence = try Int64.fetchOne(
                db.cachedStatement(sql: moveSequence),
                arguments: [transition.events.count, call.id.rawValue, transition.previousVersion]
            )
            guard let sequence else { return nil }
            let commit = commit.renumbered(by: sequence - call.sequence)
            try append(commit, db)
            return commit
        }
        try db.cachedStatement(sql: updateCall).execute(
            arguments: callArguments(call) + [transition.previousVersion, commit.previousSequence]
        )
        guard db.changesCount == 1 else { return nil }
        if transition.changesParticipants {
            let update = try db.cachedStatement(sql: updateParticipant)
            for (position, participant) in call.participants.enumerated() {
                try update.execute(arguments: participantArguments(participant, at: position, in: call))
            }
        }
        try append(commit, db)
        return commit
    }

    private static func append(_ commit: CallCommit, _ db: Database) throws {
        let transition = commit.transition
        let id = transition.call.id.rawValue
        let insertEvent = try db.cachedStatement(
            sql: """
                INSERT INTO call_events (call_id, seq, kind, detail, user_id, device_id, to_user, size, at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        for event in transition.events {
            var recipient: UserID?
            if case .signal(let signal) = event.kind { recipient = signal.to }
            try insertEvent.execute(arguments: [
                id, event.sequence, event.kind.name, event.kind.detail, event.userID, event.deviceID, recipient,
                event.kind.size, event.at.milliseconds,
            ])
        }
        let insertSignal = try db.cachedStatement(
            sql: """
                INSERT INTO call_signals (call_id, seq, event, scope, from_user, to_user, payload)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        )
        for event in commit.outgoing {
            try insertSignal.execute(arguments: [
                id, event.sequence, event.name, event.scope.rawValue, event.sender, event.recipient, event.payload,
            ])
        }
        if !commit.notices.isEmpty {
            let at = transition.events.last?.at.milliseconds
            let insertNotice = try db.cachedStatement(sql: Self.insertNotice)
            for notice in commit.notices {
                try insertNotice.execute(arguments: [id, notice.sequence, notice.id, notice.payload, at, at])
            }
        }
        if !commit.roomEvents.isEmpty {
            let at = transition.events.last?.at.milliseconds
            let insert = try db.cachedStatement(sql: Self.insertRoomEvent)
            for event in commit.roomEvents {
                try insert.execute(arguments: [
                    id, transition.call.roomID, at, at, event.sequence, event.part, event.type, event.sender,
                    event.content, event.transactionID, event.expiresAt.milliseconds,
                ])
            }
        }
        try dropSignals(commit, db)
    }

    private static func dropSignals(_ commit: CallCommit, _ db: Database) throws {
        let id = commit.transition.call.id.rawValue
        if commit.transition.purgesSignals {
            try db.cachedStatement(sql: "DELETE FROM call_signals WHERE call_id = ?").execute(arguments: [id])
        } else if commit.isTimeToDropSignals {
            try db.cachedStatement(
                sql: """
                    DELETE FROM call_signals WHERE call_id = ? AND seq <= (
                        SELECT seq FROM call_signals WHERE call_id = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)
                    """
            ).execute(arguments: [id, id, CallLimits.keptEvents])
        }
    }

    /// Deletes old ended calls with all that hangs on them, and forgotten idempotency keys.
    public func prune(
        endedBefore: Timestamp,
        keysBefore: Timestamp,
        limit: Int
    ) async throws(StoreFailure) -> Int {
        try await write("prune") { db in
            try db.execute(
                sql: """
                    DELETE FROM call_sessions WHERE call_id IN (
                        SELECT call_id FROM call_sessions WHERE state = 'ended' AND ended_at < ?
                        ORDER BY ended_at LIMIT ?)
                    """,
                arguments: [endedBefore.milliseconds, limit]
            )
            let pruned = db.changesCount
            try db.execute(
                sql: "DELETE FROM idempotency_keys WHERE claimed_at < ?",
                arguments: [keysBefore.milliseconds]
            )
            return pruned
        }
    }
}
