import CallModel
import CallService
import Logging
import ServerConfiguration

extension CallPolicy {
    /// The calls' rules from the server's configuration.
    init(_ settings: CallSettings) {
        self.init(
            ringTimeout: settings.ringTimeout.wholeMilliseconds,
            connectTimeout: settings.connectTimeout.wholeMilliseconds,
            reconnectGrace: settings.reconnectGrace.wholeMilliseconds,
            maximumParticipants: settings.maxParticipants
        )
    }
}

extension CallServiceReport {
    /// One log line; reports carry no payload and no token.
    func log(to logger: Logger) {
        switch self {
        case .storeFailed(let operation, let reason):
            logger.error("the call store failed", metadata: ["operation": "\(operation)", "reason": "\(reason)"])
        case .actRefused(let call, let code):
            logger.warning("an act on a call was refused", metadata: ["call": "\(call.rawValue)", "code": "\(code)"])
        case .callEnded(let call, let reason):
            logger.info("call ended", metadata: ["call": "\(call.rawValue)", "reason": "\(reason.rawValue)"])
        }
    }
}
