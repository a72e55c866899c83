/// One numbered thing that happened in a call.
public struct CallEvent: Hashable, Sendable {
    /// Its place in the call's history: 1, 2, 3, … without a hole.
    public let sequence: Int64
    /// What happened.
    public let kind: CallEventKind
    /// When.
    public let at: Timestamp
    /// Who acted; `nil` if time did.
    public let userID: UserID?
    /// The device that acted, as far as it is known.
    public let deviceID: DeviceID?

    /// An event as the store or the state machine knows it.
    public init(sequence: Int64, kind: CallEventKind, at: Timestamp, userID: UserID?, deviceID: DeviceID?) {
        self.sequence = sequence
        self.kind = kind
        self.at = at
        self.userID = userID
        self.deviceID = deviceID
    }
}

/// What can happen in a call.
public enum CallEventKind: Hashable, Sendable {
    /// The call was placed and rings for its audience.
    case initiated
    /// A device of the user was told.
    case ringing
    /// The user took the call.
    case answered
    /// The user said no.
    case rejected
    /// The user did not answer in time.
    case missed
    /// A fresh session of the user joined.
    case joined
    /// A session of the user went on where an earlier one stopped.
    case resumed
    /// The user's socket was lost; its grace runs.
    case disconnected
    /// The user left, or did not come back in time.
    case left
    /// The microphone was switched.
    case audioToggled(enabled: Bool)
    /// The camera was switched.
    case videoToggled(enabled: Bool)
    /// Hold, screen share or the call's type changed.
    case mediaState(MediaState)
    /// An offer, an answer or a candidate.
    case signal(Signal)
    /// The call is over.
    case ended(EndReason)
    /// The user has a relay allocation.
    case relayAllocated
    /// A relay allocation of the user is gone; `bytes` is what it carried both ways.
    case relayReleased(RelayEnd, bytes: Int64)
    /// What the room was to be told in the user's name never got there; both are words without spaces.
    case roomEventUndelivered(type: String, reason: String)
}

/// What a client says about its media besides mute; absent parts stay as they are.
public struct MediaState: Hashable, Sendable {
    /// Whether the user put the call on hold.
    public var onHold: Bool?
    /// Whether the user shares a screen.
    public var screenShare: Bool?
    /// The call's type from now on.
    public var callType: CallType?

    /// Names what changes.
    public init(onHold: Bool? = nil, screenShare: Bool? = nil, callType: CallType? = nil) {
        self.onHold = onHold
        self.screenShare = screenShare
        self.callType = callType
    }
}

/// One message of the offer/answer exchange. The payload is somebody else's text: carried, never read.
public struct Signal: Hashable, Sendable {
    /// What it is.
    public let kind: SignalKind
    /// The one it is for; `nil` means everybody else in the call.
    public let to: UserID?
    /// The raw JSON text that came; empty for an event read back from the audit.
    public let payload: String
    /// The payload's length in bytes, which outlives it in the audit.
    public let size: Int

    /// A signal that came from a client.
    public init(kind: SignalKind, to: UserID?, payload: String) {
        self.kind = kind
        self.to = to
        self.payload = payload
        size = payload.utf8.count
    }

    /// A signal as the audit remembers it: without its payload.
    public init(kind: SignalKind, to: UserID?, size: Int) {
        self.kind = kind
        self.to = to
        payload = ""
        self.size = size
    }
}

/// The three messages of the offer/answer exchange.
public enum SignalKind: String, Hashable, Sendable, CaseIterable {
    /// A session description of type offer.
    case offer
    /// A session description of type answer.
    case answer
    /// An ICE candidate, or the end of candidates.
    case candidate

    /// Whether it begins a description, to which the candidates that follow belong.
    public var isDescription: Bool { self != .candidate }
}
