import CallModel
import CallService
import CallStore
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
    func log(to logger: Logger, _ troubles: StoreTroubleLog) {
        switch self {
        case .storeFailed(let operation, let reason): troubles.failed(operation: operation, reason: reason)
        case .storeRecovered: troubles.recovered()
        case .actRefused(let call, let code):
            logger.warning("an act on a call was refused", metadata: ["call": "\(call.rawValue)", "code": "\(code)"])
        case .roomEventUndelivered(let event):
            logger.warning(
                "a room will not be told of a call",
                metadata: [
                    "call": "\(event.place.callID.rawValue)", "event": "\(event.type)", "reason": "\(event.reason)",
                ]
            )
        case .memberExpelled(let call):
            logger.info("a user left the room of a call, and with it the call", metadata: ["call": "\(call.rawValue)"])
        case .callEnded(let call, let reason, isByTime: true):
            logger.notice(
                "call ended by the clean-up",
                metadata: ["call": "\(call.rawValue)", "reason": "\(reason.rawValue)"]
            )
        case .callEnded(let call, let reason, isByTime: false):
            logger.info("call ended", metadata: ["call": "\(call.rawValue)", "reason": "\(reason.rawValue)"])
        }
    }
}
