public import CallModel
import Postgres

extension PostgresCallStore {
    /// Writes a new call; `roomTaken` if its room has one that has not ended.
    public func create(_ commit: CallCommit) async throws(StoreFailure) -> CreateOutcome {
        let call = commit.transition.call
        let command = PostgresCommand(.createCall) {
            $0.append(commit)
            $0.append(forOthers: commit)
            $0.append(changeable: call)
            $0.append(call.participants)
            $0.append(fixed: call)
        }
        return try await write("create call", lock: .room(call.roomID), [command]) { results in
            .success(results[0].rowCount == 1 ? .created : .roomTaken)
        }
    }

    /// Writes a change if the stored call is still the one that it began from.
    public func commit(
        isPatient: Bool,
        prepare: @escaping @Sendable () -> CallCommit?,
        done: @escaping @Sendable (Result<CallCommit?, StoreFailure>) -> Void
    ) {
        write(
            "commit call",
            isPatient: isPatient,
            plan: {
                guard let commit = prepare() else {
                    done(.success(nil))
                    return nil
                }
                let lock = PostgresPlan.Lock.call(commit.transition.call.id.rawValue)
                return PostgresPlan(lock: lock, commands: Self.commands(for: commit)) { results in
                    let written = Self.written(commit, results[0])
                    if let written, written.isTimeToDropSignals, !commit.isTimeToDropSignals {
                        dropSignals(of: written)
                    }
                    return { done(.success(written)) }
                }
            },
            fail: { done(.failure($0)) }
        )
    }

    /// Changes a call as it is stored, its row locked on the way there and back. A node that stops in between lets go of it
    /// when its connection's time for that is over.
    public func change<Value: Sendable>(
        _ id: CallID,
        _ change: @escaping @Sendable (Call?) -> (commit: CallCommit?, value: Value)
    ) async throws(StoreFailure) -> Value {
        let result: Result<Value, StoreFailure>
        do throws(PostgresFailure) {
            result = try await readers.use(isRepeatable: false) { connection throws(PostgresFailure) in
                try Self.change(id, connection, change)
            }
        } catch {
            throw Self.failure("change call", error)
        }
        return try result.get()
    }

    private static func change<Value>(
        _ id: CallID,
        _ connection: PostgresConnection,
        _ change: (Call?) -> (commit: CallCommit?, value: Value)
    ) throws(PostgresFailure) -> Result<Value, StoreFailure> {
        var isOver = false
        // A transaction that was begun must not be left to the connection's next use.
        defer { if !isOver { connection.retire() } }
        // What the row's lock was waited for is seen by a statement of its own only.
        let begin = [
            PostgresCommand(.begin), PostgresCommand(.lockCall) { $0.append(id.rawValue) },
            PostgresCommand(.loadCall) { $0.append(id.rawValue) },
        ]
        let rows = try connection.exchange([begin], deadline: .now + PostgresPool.exchangeTime)[0].get()[2]
        let call: Call?
        do throws(StoreFailure) { call = try rows.calls().first } catch { return .failure(error) }
        let (commit, value) = change(call)
        let end = (commit.map(commands) ?? []) + [PostgresCommand(.commit)]
        let results = try connection.exchange([end], deadline: .now + PostgresPool.exchangeTime)[0].get()
        isOver = true
        guard commit == nil || results[0].rowCount == 1 else { return .failure(.corrupt(operation: "change call")) }
        return .success(value)
    }

    /// What of a commit was written, as the database numbered it.
    private static func written(_ commit: CallCommit, _ result: PostgresResult) -> CallCommit? {
        guard result.rowCount == 1 else { return nil }
        guard commit.transition.onlyAppends, let sequence = result.number(0, 0) else { return commit }
        return commit.renumbered(by: sequence - commit.transition.call.sequence)
    }

    /// Deletes the old signals that a commit pushed out, which nobody could know before it had its numbers.
    private func dropSignals(of commit: CallCommit) {
        let lock = PostgresPlan.Lock.call(commit.transition.call.id.rawValue)
        let plan = PostgresPlan(lock: lock, commands: Self.signalsDropped(by: commit)) { _ in {} }
        // If it fails they stay until as many more have come.
        write("drop old signals", isPatient: true, plan: { plan }, fail: { _ in })
    }

    /// The change itself, and what of the call's signals goes with it.
    private static func commands(for commit: CallCommit) -> [PostgresCommand] {
        [change(commit)] + signalsDropped(by: commit)
    }

    private static func change(_ commit: CallCommit) -> PostgresCommand {
        let transition = commit.transition
        let call = transition.call
        if transition.onlyAppends { return PostgresCommand(.commitEvents) { $0.append(commit) } }
        if transition.changesParticipants {
            return PostgresCommand(.commitParticipants) {
                $0.append(commit)
                $0.append(forOthers: commit)
                $0.append(changeable: call)
                $0.append(call.participants)
            }
        }
        return PostgresCommand(.commitCall) {
            $0.append(commit)
            $0.append(forOthers: commit)
            $0.append(changeable: call)
        }
    }

    private static func signalsDropped(by commit: CallCommit) -> [PostgresCommand] {
        let call = commit.transition.call
        if commit.transition.purgesSignals {
            let purge = PostgresCommand(.purgeSignals) {
                $0.append(call.id.rawValue)
                $0.append(call.version)
            }
            return [purge]
        }
        guard commit.isTimeToDropSignals else { return [] }
        let drop = PostgresCommand(.dropOldSignals) {
            $0.append(call.id.rawValue)
            $0.append(Int64(CallLimits.keptEvents))
        }
        return [drop]
    }

    /// Deletes old ended calls with all that hangs on them, and forgotten idempotency keys.
    public func prune(
        endedBefore: Timestamp,
        keysBefore: Timestamp,
        limit: Int
    ) async throws(StoreFailure) -> Int {
        let calls = PostgresCommand(.pruneCalls) {
            $0.append(endedBefore.milliseconds)
            $0.append(Int64(limit))
        }
        let keys = PostgresCommand(.pruneKeys) { $0.append(keysBefore.milliseconds) }
        do throws(PostgresFailure) {
            // Not with the commits, which would have to wait for it.
            return try await readers.use(isRepeatable: false) { connection throws(PostgresFailure) in
                let outcomes = connection.exchange([[calls], [keys]], deadline: .now + PostgresPool.exchangeTime)
                _ = try outcomes[1].get()
                return try outcomes[0].get()[0].rowCount
            }
        } catch {
            throw Self.failure("prune", error)
        }
    }

    /// Adds to what the relay carried; whoever is no participant of a call that is there is passed over.
    public func addRelayUse(_ uses: [CallRelayUse]) async throws(StoreFailure) {
        guard !uses.isEmpty else { return }
        let command = PostgresCommand(.addRelayUse) {
            $0.append(texts: uses) { $0.callID.rawValue }
            $0.append(texts: uses) { $0.userID }
            $0.append(numbers: uses) { $0.use.bytesSent }
            $0.append(numbers: uses) { $0.use.bytesReceived }
        }
        let first = uses.map(\.callID.rawValue).min() ?? ""
        try await write("add relay use", lock: .call(first), [command]) { _ in .success(()) }
    }
}
