public import CallModel
import SocketIO

extension CallTransition {
    /// What clients are told of this transition, in order. Payloads show the call as it is after it.
    ///
    /// The end of a call says all there is to say about whoever rejected or missed it; those events stand in the
    /// history alone then.
    public var outgoing: [OutgoingEvent] {
        events.filter { call.state != .ended || !$0.kind.isRefusal }.compactMap { $0.outgoing(in: call) }
    }
}

extension CallEvent {
    /// The event as clients hear it, or `nil` if it stands in the history alone.
    public func outgoing(in call: Call) -> OutgoingEvent? {
        guard let scope = kind.scope, let message = message(in: call) else { return nil }
        let members = JSONText.object(message.members).text
        var recipient: UserID?
        if case .signal(let signal) = kind { recipient = signal.to }
        return OutgoingEvent(
            callID: call.id,
            sequence: sequence,
            name: message.name,
            scope: scope,
            sender: userID,
            recipient: recipient,
            body: members == "{}" ? "}" : "," + members.dropFirst()
        )
    }

    private func message(in call: Call) -> (name: String, members: [(String, JSONText?)])? {
        let user = ("userId", userID.map(JSONText.string))
        let device = ("deviceId", deviceID.map(JSONText.string))
        switch kind {
        case .initiated:
            return ("call-incoming", [("call", call.json)])
        case .answered:
            return ("call-answered", [("call", call.json), user, device])
        case .ended(let reason):
            return ("call-ended", [("call", call.json), ("reason", .string(reason.rawValue)), ("by", user.1)])
        case .joined:
            return ("user-joined", [user, device, ("participants", call.participantsJSON)])
        case .left, .rejected, .missed:
            return ("user-left", [user, device, ("participants", call.participantsJSON)])
        case .audioToggled(let enabled):
            return ("audio-toggled", [user, ("enabled", .boolean(enabled))])
        case .videoToggled(let enabled):
            return ("video-toggled", [user, ("enabled", .boolean(enabled))])
        case .mediaState(let state):
            return (
                "media-state",
                [
                    user, ("onHold", state.onHold.map(JSONText.boolean)),
                    ("screenShare", state.screenShare.map(JSONText.boolean)),
                    ("callType", state.callType.map { .string($0.rawValue) }),
                ]
            )
        case .signal(let signal):
            // It came as a value of a client's JSON.
            let payload = JSONText(wellFormed: signal.payload)
            let sender = ("from", user.1)
            let senderDevice = ("fromDevice", device.1)
            return (signal.kind.eventName, [sender, senderDevice, (signal.kind.rawValue, payload)])
        case .ringing, .resumed, .disconnected, .relayAllocated, .relayReleased, .roomEventUndelivered:
            return nil
        }
    }
}

extension CallEventKind {
    fileprivate var isRefusal: Bool { self == .rejected || self == .missed }
}

extension SignalKind {
    /// The signal that a client's event of this name carries; `nil` if it carries none.
    public init?(eventName: String) {
        guard let kind = Self.allCases.first(where: { $0.eventName == eventName }) else { return nil }
        self = kind
    }

    /// The Socket.IO event that carries it, in both directions.
    public var eventName: String {
        switch self {
        case .offer: "webrtc-offer"
        case .answer: "webrtc-answer"
        case .candidate: "ice-candidate"
        }
    }
}
