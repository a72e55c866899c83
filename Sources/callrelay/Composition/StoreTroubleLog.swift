import Locking
import Logging

/// Tells the operator of a store in trouble without a line for each client that meets it: each statement's failure at once,
/// the same again after a while with how often, and the end of it.
final class StoreTroubleLog: Sendable {
    /// Between two lines about the same statement.
    static let interval = Duration.seconds(10)

    private struct Trouble {
        var toldAt: ContinuousClock.Instant
        var untold = 0
    }

    private let logger: Logger
    private let troubles = Locked<[String: Trouble]>([:])

    init(logger: Logger) { self.logger = logger }

    /// A statement failed.
    func failed(operation: String, reason: String, now: ContinuousClock.Instant = .now) {
        let repeated: Int? = troubles.withLock { troubles in
            if var trouble = troubles[operation], now < trouble.toldAt + Self.interval {
                trouble.untold += 1
                troubles[operation] = trouble
                return nil
            }
            let untold = troubles[operation]?.untold ?? 0
            troubles[operation] = Trouble(toldAt: now)
            return untold
        }
        guard let repeated else { return }
        var metadata: Logger.Metadata = ["operation": "\(operation)", "reason": "\(reason)"]
        if repeated > 0 { metadata["since"] = "\(repeated) more" }
        logger.error("the call store failed", metadata: metadata)
    }

    /// Whether it failed and has not answered since.
    var isInTrouble: Bool { troubles.withLock { !$0.isEmpty } }

    /// The store answers again.
    func recovered() {
        let failures = troubles.withLock { troubles in
            let failures = troubles.values.reduce(0) { $0 + 1 + $1.untold }
            troubles = [:]
            return failures
        }
        logger.notice("the call store answers again", metadata: ["failures": "\(failures)"])
    }
}
