public import CallModel
import Postgres

extension PostgresCallStore {
    /// Claims a key for its first use, or finds what came of that.
    public func claim(_ key: IdempotencyKey, at now: Timestamp) async throws(StoreFailure) -> IdempotencyClaim {
        let claim = PostgresCommand(.claimKey) {
            $0.append(name: key)
            $0.append(key.bodyHash)
            $0.append(now.milliseconds)
            $0.append(now.milliseconds - IdempotencyKey.lifetime)
            $0.append(now.milliseconds - IdempotencyKey.claimLifetime)
        }
        let look = PostgresCommand(.readKey) { $0.append(name: key) }
        return try await write("claim idempotency key", lock: key.lock, [claim, look]) { results in
            if results[0].rowCount == 1 { return .success(.claimed) }
            guard results[1].rowCount == 1 else { return .failure(.corrupt(operation: "read idempotency key")) }
            let row = results[1]
            guard row.text(0, 0) == key.bodyHash else { return .success(.mismatch) }
            guard let status = row.number(0, 1), let id = row.text(0, 2).flatMap(CallID.init) else {
                return .success(.inProgress)
            }
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

    /// Gives a claimed key back.
    public func release(_ key: IdempotencyKey) async throws(StoreFailure) {
        let command = PostgresCommand(.releaseKey) { $0.append(name: key) }
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
