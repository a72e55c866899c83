import Locking
import Logging
import Matrix

/// Logs the homeserver's troubles when they begin and when they end, and not for every question in between.
final class HomeserverTroubleLog: Sendable {
    private struct State {
        var isInTrouble = false
        var hasForeignName = false
    }

    private let logger: Logger
    private let state = Locked(State())

    init(logger: Logger) { self.logger = logger }

    func note(_ report: HomeserverReport) {
        switch report {
        case .answered:
            let isOver = state.withLock { state in
                defer { state.isInTrouble = false }
                return state.isInTrouble
            }
            if isOver { logger.notice("the homeserver answers again") }
        case .failed(let operation, let failure):
            let isNew = state.withLock { state in
                defer { state.isInTrouble = true }
                return !state.isInTrouble
            }
            guard isNew else { return }
            logger.error(
                "MATRIX_HOMESERVER_URL: the homeserver does not answer; whoever it knew lately goes on for some minutes",
                metadata: ["request": "\(operation)", "reason": "\(failure.reason)"]
            )
        case .foreignName:
            let isNew = state.withLock { state in
                defer { state.hasForeignName = true }
                return !state.hasForeignName
            }
            guard isNew else { return }
            logger.warning("MATRIX_SERVER_NAME: the homeserver's users have another name behind the colon of their ids")
        }
    }
}
