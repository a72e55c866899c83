public import CallModel
import GRDB

extension SQLiteCallStore {
    /// Claims a key for its first use, or finds what came of that.
    public func claim(_ key: IdempotencyKey, at now: Timestamp) async throws(StoreFailure) -> IdempotencyClaim {
        try await write("claim idempotency key") { db in
            // A key past its day, or one whose request died with its process, is as good as new.
            try db.cachedStatement(
                sql: """
                    DELETE FROM idempotency_keys WHERE user_id = ? AND route = ? AND key = ?
                        AND (claimed_at <= ? OR (status IS NULL AND claimed_at <= ?))
                    """
            ).execute(arguments: [
                key.userID, key.route, key.key, now.milliseconds - IdempotencyKey.lifetime,
                now.milliseconds - IdempotencyKey.claimLifetime,
            ])
            try db.cachedStatement(
                sql: """
                    INSERT INTO idempotency_keys (user_id, route, key, body_hash, claimed_at) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT DO NOTHING
                    """
            ).execute(arguments: [key.userID, key.route, key.key, key.bodyHash, now.milliseconds])
            if db.changesCount == 1 { return .claimed }
            let statement = try db.cachedStatement(
                sql: """
                    SELECT body_hash, status, call_id, body FROM idempotency_keys
                    WHERE user_id = ? AND route = ? AND key = ?
                    """
            )
            guard let row = try Row.fetchOne(statement, arguments: [key.userID, key.route, key.key]) else {
                throw StoreFailure.corrupt(operation: "read idempotency key")
            }
            guard row["body_hash"] == key.bodyHash else { return .mismatch }
            let status: Int? = row["status"]
            let call: String? = row["call_id"]
            guard let status, let id = call.flatMap(CallID.init) else { return .inProgress }
            return .done(IdempotencyResult(status: status, callID: id, body: row["body"] ?? ""))
        }
    }

    /// Remembers what came of the first use.
    public func settle(_ key: IdempotencyKey, _ result: IdempotencyResult) async throws(StoreFailure) {
        try await write("settle idempotency key") { db in
            try db.cachedStatement(
                sql: """
                    UPDATE idempotency_keys SET status = ?, call_id = ?, body = ?
                    WHERE user_id = ? AND route = ? AND key = ?
                    """
            ).execute(arguments: [
                result.status, result.callID.rawValue, result.body, key.userID, key.route, key.key,
            ])
        }
    }

    /// Gives a claimed key back.
    public func release(_ key: IdempotencyKey) async throws(StoreFailure) {
        try await write("release idempotency key") { db in
            try db.cachedStatement(
                sql: """
                    DELETE FROM idempotency_keys WHERE user_id = ? AND route = ? AND key = ? AND status IS NULL
                    """
            ).execute(arguments: [key.userID, key.route, key.key])
        }
    }
}
