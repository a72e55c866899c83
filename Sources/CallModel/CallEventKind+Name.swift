extension CallEventKind {
    /// The kind's stable name, in the store and in the history that users read.
    public var name: String {
        switch self {
        case .initiated: "initiated"
        case .ringing: "ringing"
        case .answered: "answered"
        case .rejected: "rejected"
        case .missed: "missed"
        case .joined: "joined"
        case .resumed: "resumed"
        case .disconnected: "disconnected"
        case .left: "left"
        case .audioToggled: "audio-toggled"
        case .videoToggled: "video-toggled"
        case .mediaState: "media-state"
        case .signal(let signal): signal.kind.rawValue
        case .ended: "ended"
        case .relayAllocated: "relay-allocated"
        case .relayReleased: "relay-released"
        case .roomEventUndelivered: "room-event-undelivered"
        }
    }

    /// What stands beside the name, in a form that the store keeps in one column; `nil` if there is nothing.
    public var detail: String? {
        switch self {
        case .audioToggled(let enabled), .videoToggled(let enabled): enabled ? "on" : "off"
        case .ended(let reason): reason.rawValue
        case .relayReleased(let end, _): end.rawValue
        case .roomEventUndelivered(let type, let reason): "\(type) \(reason)"
        case .mediaState(let state):
            [
                state.onHold.map { $0 ? "hold" : "unhold" },
                state.screenShare.map { $0 ? "screen" : "unscreen" },
                state.callType?.rawValue,
            ].compactMap(\.self).joined(separator: " ")
        case .initiated, .ringing, .answered, .rejected, .missed, .joined, .resumed, .disconnected, .left, .signal,
            .relayAllocated:
            nil
        }
    }

    /// The size that stands beside the name, in bytes: of a signal's payload, or of what an allocation carried.
    public var size: Int64? {
        switch self {
        case .signal(let signal): Int64(signal.size)
        case .relayReleased(_, let bytes): bytes
        default: nil
        }
    }

    /// Reads back what `name`, `detail`, `size` and a signal's recipient say; `nil` if they say nothing known.
    public init?(name: String, detail: String?, recipient: UserID?, size: Int64?) {
        switch name {
        case "initiated": self = .initiated
        case "ringing": self = .ringing
        case "answered": self = .answered
        case "rejected": self = .rejected
        case "missed": self = .missed
        case "joined": self = .joined
        case "resumed": self = .resumed
        case "disconnected": self = .disconnected
        case "left": self = .left
        case "audio-toggled": self = .audioToggled(enabled: detail == "on")
        case "video-toggled": self = .videoToggled(enabled: detail == "on")
        case "media-state": self = .mediaState(MediaState(detail: detail ?? ""))
        case "ended":
            guard let reason = detail.flatMap(EndReason.init(rawValue:)) else { return nil }
            self = .ended(reason)
        case "relay-allocated": self = .relayAllocated
        case "relay-released":
            guard let end = detail.flatMap(RelayEnd.init(rawValue:)) else { return nil }
            self = .relayReleased(end, bytes: size ?? 0)
        case "room-event-undelivered":
            let words = (detail ?? "").split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2 else { return nil }
            self = .roomEventUndelivered(type: words[0], reason: words[1])
        default:
            guard let kind = SignalKind(rawValue: name) else { return nil }
            self = .signal(Signal(kind: kind, to: recipient, size: Int(clamping: size ?? 0)))
        }
    }
}

extension MediaState {
    fileprivate init(detail: String) {
        self.init()
        for word in detail.split(separator: " ") {
            switch word {
            case "hold": onHold = true
            case "unhold": onHold = false
            case "screen": screenShare = true
            case "unscreen": screenShare = false
            default: callType = CallType(rawValue: String(word))
            }
        }
    }
}
