public import CallModel
import GRDB

extension SQLiteCallStore {
    static let insertNotice = """
        INSERT INTO call_outbox (call_id, seq, notice_id, payload, next_attempt, created_at) VALUES (?, ?, ?, ?, ?, ?)
        """

    /// Claims notices that are due: of each call the first, if nobody sends it already.
    public func claimNotices(
        at now: Timestamp,
        until: Timestamp,
        limit: Int
    ) async throws(StoreFailure) -> [StoredNotice] {
        try await write("claim notices") { db in
            let find = try db.cachedStatement(
                sql: """
                    SELECT call_id, seq, notice_id, payload, attempts, created_at FROM call_outbox AS due
                    WHERE next_attempt <= ? AND given_up_at IS NULL AND NOT EXISTS (
                        SELECT 1 FROM call_outbox AS earlier WHERE earlier.call_id = due.call_id
                            AND earlier.seq < due.seq AND earlier.given_up_at IS NULL)
                    ORDER BY next_attempt LIMIT ?
                    """
            )
            let claim = try db.cachedStatement(
                sql: "UPDATE call_outbox SET next_attempt = ?, attempts = attempts + 1 WHERE call_id = ? AND seq = ?"
            )
            return try Row.fetchAll(find, arguments: [now.milliseconds, limit]).map { row in
                guard let id = CallID(row["call_id"]) else { throw StoreFailure.corrupt(operation: "read notice") }
                let notice = CallNotice(sequence: row["seq"], id: row["notice_id"], payload: row["payload"])
                try claim.execute(arguments: [until.milliseconds, id.rawValue, notice.sequence])
                let attempts: Int = row["attempts"]
                return StoredNotice(
                    callID: id,
                    notice: notice,
                    attempts: attempts + 1,
                    createdAt: Timestamp(milliseconds: row["created_at"])
                )
            }
        }
    }

    /// Writes down what came of sending a notice.
    public func settle(_ notice: StoredNotice, _ outcome: NoticeOutcome) async throws(StoreFailure) {
        try await write("settle notice") { db in
            let place: StatementArguments = [notice.callID.rawValue, notice.notice.sequence]
            switch outcome {
            case .taken:
                try db.cachedStatement(sql: "DELETE FROM call_outbox WHERE call_id = ? AND seq = ?")
                    .execute(arguments: place)
            case .postponed(let until):
                // With all that wait behind it, so that they need not be looked at before.
                try db.cachedStatement(sql: "UPDATE call_outbox SET next_attempt = ? WHERE call_id = ? AND seq >= ?")
                    .execute(arguments: [until.milliseconds] + place)
            case .givenUp(let at):
                try db.cachedStatement(sql: "UPDATE call_outbox SET given_up_at = ? WHERE call_id = ? AND seq = ?")
                    .execute(arguments: [at.milliseconds] + place)
            }
        }
    }
}
