public import CallModel
import GRDB

extension SQLiteCallStore {
    /// Claims a key for its first use, or finds what came of that.
    public func claim(
        _ key: IdempotencyKey,
        placing id: CallID?,
        at now: Timestamp
    ) async throws(StoreFailure) -> IdempotencyClaim {
        try await write("claim idempotency key") { db in
            // A key past its day, or one whose request died with its process, is as good as new; but a call that the latter
            // was about to place may be there.
            let claimed = try Row.fetchOne(
                db.cachedStatement(
                    sql: """
                        INSERT INTO idempotency_keys AS k (user_id, route, key, body_hash, claimed_at, call_id)
                        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                        ON CONFLICT (user_id, route, key) DO UPDATE SET
                            call_id = CASE
                                WHEN k.status IS NULL AND k.body_hash = excluded.body_hash AND k.claimed_at > ?7
                                THEN coalesce(k.call_id, excluded.call_id) ELSE excluded.call_id END,
                            body_hash = excluded.body_hash, claimed_at = excluded.claimed_at, status = NULL, body = NULL
                            WHERE k.claimed_at <= ?7 OR (k.status IS NULL AND k.claimed_at <= ?8)
                        RETURNING call_id
                        """
                ),
                arguments: [
                    key.userID, key.route, key.key, key.bodyHash, now.milliseconds, id?.rawValue,
                    now.milliseconds - IdempotencyKey.lifetime, now.milliseconds - IdempotencyKey.claimLifetime,
                ]
            )
            if let claimed {
                let text: String? = claimed["call_id"]
                return .claimed(placing: text.flatMap(CallID.init))
            }
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
            let id = call.flatMap(CallID.init)
            guard let status, let id else { return .inProgress(placing: id) }
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

    /// Gives a key back that was claimed at a moment; with `keepsCall` to whoever comes next, with the call's id.
    public func release(
        _ key: IdempotencyKey,
        claimedAt: Timestamp,
        keepsCall: Bool
    ) async throws(StoreFailure) {
        try await write("release idempotency key") { db in
            let arguments: StatementArguments = [key.userID, key.route, key.key, claimedAt.milliseconds]
            if keepsCall {
                try db.cachedStatement(
                    sql: """
                        UPDATE idempotency_keys SET claimed_at = claimed_at - ?
                        WHERE user_id = ? AND route = ? AND key = ? AND status IS NULL AND claimed_at = ?
                        """
                ).execute(arguments: [IdempotencyKey.claimLifetime] + arguments)
            } else {
                try db.cachedStatement(
                    sql: """
                        DELETE FROM idempotency_keys
                        WHERE user_id = ? AND route = ? AND key = ? AND status IS NULL AND claimed_at = ?
                        """
                ).execute(arguments: arguments)
            }
        }
    }
}
