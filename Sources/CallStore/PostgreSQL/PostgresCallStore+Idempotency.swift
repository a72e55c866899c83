public import CallModel
import Postgres

extension PostgresCallStore {
    /// Claims a key for its first use, or finds what came of that.
    public func claim(
        _ key: IdempotencyKey,
        placing id: CallID?,
        at now: Timestamp
    ) async throws(StoreFailure) -> IdempotencyClaim {
        let claim = PostgresCommand(.claimKey) {
            $0.append(name: key)
            $0.append(key.bodyHash)
            $0.append(now.milliseconds)
            $0.append(now.milliseconds - IdempotencyKey.lifetime)
            $0.append(now.milliseconds - IdempotencyKey.claimLifetime)
            $0.append(id?.rawValue)
        }
        let look = PostgresCommand(.readKey) { $0.append(name: key) }
        return try await write("claim idempotency key", lock: key.lock, [claim, look]) { results in
            if results[0].rowCount == 1 {
                return .success(.claimed(placing: results[0].text(0, 0).flatMap(CallID.init)))
            }
            guard results[1].rowCount == 1 else { return .failure(.corrupt(operation: "read idempotency key")) }
            let row = results[1]
            guard row.text(0, 0) == key.bodyHash else { return .success(.mismatch) }
            let id = row.text(0, 2).flatMap(CallID.init)
            guard let status = row.number(0, 1), let id else { return .success(.inProgress(placing: id)) }
            return .success(
                .done(IdempotencyResult(status: Int(status), callID: id, body: row.text(0, 3) ?? ""))
            )
        }
    }

    /// Remembers what came of the first use.
    public func settle(_ key: IdempotencyKey, _ result: IdempotencyResult) async throws(StoreFailure) {
        let command = PostgresCommand(.settleKey) {
            $0.append(name: key)
            $0.append(Int64(result.status))
            $0.append(result.callID.rawValue)
            $0.append(result.body)
        }
        try await write("settle idempotency key", lock: key.lock, [command]) { _ in .success(()) }
    }

    /// Gives a key back that was claimed at a moment; with `keepsCall` to whoever comes next, with the call's id.
    public func release(
        _ key: IdempotencyKey,
        claimedAt: Timestamp,
        keepsCall: Bool
    ) async throws(StoreFailure) {
        let command = PostgresCommand(keepsCall ? .releaseKeyAndKeepCall : .releaseKey) {
            $0.append(name: key)
            $0.append(claimedAt.milliseconds)
            if keepsCall { $0.append(IdempotencyKey.claimLifetime) }
        }
        try await write("release idempotency key", lock: key.lock, [command]) { _ in .success(()) }
    }
}

extension IdempotencyKey {
    fileprivate var lock: PostgresPlan.Lock { .key("\(userID) \(route) \(key)") }
}

extension PostgresValues {
    fileprivate mutating func append(name key: IdempotencyKey) {
        append(key.userID)
        append(key.route)
        append(key.key)
    }
}
