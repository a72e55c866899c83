public import CallModel
public import SocketIO

extension CallEvent {
    /// The event as the history of a call shows it: who did what and when, never what was in it.
    public var auditJSON: JSONText {
        var members: [(String, JSONText?)] = [
            ("seq", .integer(sequence)),
            ("kind", .string(kind.name)),
            ("at", at.json),
            ("userId", userID.map(JSONText.string)),
            ("deviceId", deviceID.map(JSONText.string)),
        ]
        switch kind {
        case .audioToggled(let enabled), .videoToggled(let enabled):
            members.append(("enabled", .boolean(enabled)))
        case .mediaState(let state):
            members.append(("onHold", state.onHold.map(JSONText.boolean)))
            members.append(("screenShare", state.screenShare.map(JSONText.boolean)))
            members.append(("callType", state.callType.map { .string($0.rawValue) }))
        case .signal(let signal):
            members.append(("to", signal.to.map(JSONText.string)))
            members.append(("size", .integer(signal.size)))
        case .ended(let reason):
            members.append(("reason", .string(reason.rawValue)))
        case .relayReleased(let end, let bytes):
            members.append(("cause", .string(end.rawValue)))
            members.append(("size", .integer(bytes)))
        case .roomEventUndelivered(let type, let reason):
            members.append(("type", .string(type)))
            members.append(("cause", .string(reason)))
        case .initiated, .ringing, .answered, .rejected, .missed, .joined, .resumed, .disconnected, .left,
            .relayAllocated:
            break
        }
        return .object(members)
    }
}
