import CallModel
import CallService
import CallStore
import Logging
import ServerConfiguration
import ServiceLifecycle
import Webhook

/// Tells others of calls, as long as the server runs.
struct OutboxLifecycle: Service {
    let outbox: Outbox
    let webhook: Webhook

    init?(
        _ settings: WebhookSettings?,
        store: any CallStore,
        troubles: StoreTroubleLog,
        tallies: ServerTallies,
        logger: Logger
    ) {
        guard let settings else { return nil }
        let webhook = Webhook(url: settings.url, key: settings.key)
        self.webhook = webhook
        outbox = Outbox(
            store: store,
            receiver: webhook,
            clock: { WallClock.now() },
            log: {
                tallies.count($0)
                $0.log(to: logger, troubles)
            }
        )
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { await outbox.run() }
        // What was under way is sent again by whoever finds it.
        try await webhook.close()
    }
}

extension OutboxReport {
    /// One log line; notices are named, and not shown.
    func log(to logger: Logger, _ troubles: StoreTroubleLog) {
        switch self {
        case .storeFailed(.unavailable(let operation, let reason)):
            troubles.failed(operation: operation, reason: reason)
        case .storeFailed(.corrupt(let operation)):
            troubles.failed(operation: operation, reason: "a stored row cannot be read")
        case .taken: break
        case .refused(let notice, let reason, let isGivenUp):
            let metadata: Logger.Metadata = [
                "notice": "\(notice.notice.id)", "attempt": "\(notice.attempts)", "reason": "\(reason)",
            ]
            if isGivenUp {
                logger.error("the webhook never took a notice, which is given up", metadata: metadata)
            } else {
                logger.warning("the webhook did not take a notice, which will be sent again", metadata: metadata)
            }
        }
    }
}
