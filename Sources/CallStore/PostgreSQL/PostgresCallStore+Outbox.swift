public import CallModel
import Postgres

extension PostgresCallStore {
    /// Claims notices that are due: of each call the first, if nobody sends it already.
    public func claimNotices(
        at now: Timestamp,
        until: Timestamp,
        limit: Int
    ) async throws(StoreFailure) -> [StoredNotice] {
        let claim = PostgresCommand(.claimNotices) {
            $0.append(now.milliseconds)
            $0.append(until.milliseconds)
            $0.append(Int64(limit))
        }
        return try await write("claim notices", lock: .notice(""), [claim]) { results in
            Result { () throws(StoreFailure) in try results[0].notices() }
        }
    }

    /// Writes down what came of sending a notice.
    public func settle(_ notice: StoredNotice, _ outcome: NoticeOutcome) async throws(StoreFailure) {
        let command: PostgresCommand
        switch outcome {
        case .taken: command = PostgresCommand(.dropNotice) { $0.append(place: notice) }
        case .postponed(let until):
            command = PostgresCommand(.postponeNotice) {
                $0.append(place: notice)
                $0.append(until.milliseconds)
            }
        case .givenUp(let at):
            command = PostgresCommand(.giveUpNotice) {
                $0.append(place: notice)
                $0.append(at.milliseconds)
            }
        }
        try await write("settle notice", lock: .notice(notice.notice.id), [command]) { _ in .success(()) }
    }
}

extension PostgresValues {
    fileprivate mutating func append(place notice: StoredNotice) {
        append(notice.callID.rawValue)
        append(notice.notice.sequence)
    }
}
