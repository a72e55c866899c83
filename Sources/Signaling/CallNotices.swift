public import CallModel
import SocketIO

extension CallTransition {
    /// What the outbox tells of this transition, in order. Payloads show the call as it is after it.
    public var notices: [CallNotice] { events.compactMap { $0.notice(in: call) } }
}

extension CallEvent {
    fileprivate func notice(in call: Call) -> CallNotice? {
        guard let type = kind.noticeType else { return nil }
        var reason: JSONText?
        if case .ended(let why) = kind { reason = .string(why.rawValue) }
        let data: [(String, JSONText?)] = [
            ("callId", .string(call.id.rawValue)), ("seq", .integer(sequence)), ("userId", userID.map(JSONText.string)),
            ("deviceId", deviceID.map(JSONText.string)), ("reason", reason), ("call", call.json),
        ]
        let payload = JSONText.object([("type", .string(type)), ("timestamp", at.json), ("data", .object(data))])
        return CallNotice(sequence: sequence, id: "\(call.id.rawValue).\(sequence)", payload: payload.text)
    }
}

extension CallEventKind {
    /// What it is called outside; `nil` for what is nobody's business there.
    fileprivate var noticeType: String? {
        switch self {
        case .initiated: "call.initiated"
        case .answered: "call.answered"
        case .rejected: "call.rejected"
        case .missed: "call.missed"
        case .left: "call.left"
        case .ended: "call.ended"
        case .ringing, .joined, .resumed, .disconnected, .audioToggled, .videoToggled, .mediaState, .signal,
            .relayAllocated, .relayReleased, .roomEventUndelivered:
            nil
        }
    }
}
