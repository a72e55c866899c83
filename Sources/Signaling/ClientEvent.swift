public import CallModel
public import SocketIO

/// What a client may send by its socket, decoded and within its limits.
public enum ClientEvent: Hashable, Sendable {
    /// A fresh token for the same user.
    case authenticate(token: String)
    /// Join a call; `after` is the last event received, `nil` for a fresh start.
    case joinCall(CallID, device: DeviceID?, after: Int64?)
    /// An offer, an answer or a candidate.
    case signal(CallID, Signal)
    /// Microphone on or off.
    case toggleAudio(CallID, enabled: Bool)
    /// Camera on or off.
    case toggleVideo(CallID, enabled: Bool)
    /// Hold, screen share, call type.
    case mediaState(CallID, MediaState)
    /// Leave the call.
    case leaveCall(CallID)

    /// The longest token that is looked at.
    public static let tokenLength = 8192

    /// Decodes an event; `nil` if no event has this name.
    public init?(name: String, arguments: [JSONText]) throws(CallFailure) {
        guard Self.names.contains(name) else { return nil }
        guard arguments.count == 1, let first = arguments.first else {
            throw .invalid(detail: "\(name) takes one object.")
        }
        let body = try RequestBody(first)
        switch name {
        case "authenticate":
            self = .authenticate(token: try body.requiredString("token", limit: Self.tokenLength))
        case "join-call":
            self = .joinCall(try body.callID(), device: try body.device(), after: try body.count("afterSeq"))
        case "webrtc-offer":
            self = .signal(try body.callID(), try body.requiredDescription(.offer))
        case "webrtc-answer":
            self = .signal(try body.callID(), try body.requiredDescription(.answer))
        case "ice-candidate":
            let id = try body.callID()
            guard body.value("candidates") == nil, let candidate = try body.candidates().first else {
                throw .invalid(detail: "ice-candidate takes one candidate.")
            }
            self = .signal(id, candidate)
        case "toggle-audio":
            self = .toggleAudio(try body.callID(), enabled: try body.requiredBoolean("enabled"))
        case "toggle-video":
            self = .toggleVideo(try body.callID(), enabled: try body.requiredBoolean("enabled"))
        case "media-state":
            self = .mediaState(try body.callID(), try body.mediaState())
        default:
            self = .leaveCall(try body.callID())
        }
    }

    /// The events that clients may send.
    public static let names: Set<String> = [
        "authenticate", "join-call", "webrtc-offer", "webrtc-answer", "ice-candidate", "toggle-audio", "toggle-video",
        "media-state", "leave-call",
    ]
}
