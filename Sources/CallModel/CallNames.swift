/// A Matrix user id, or whatever the token's issuer calls its users. Opaque; never parsed.
public typealias UserID = String

/// What a client calls the device it runs on. Opaque; `default` if nobody says.
public typealias DeviceID = String

/// One joined socket of one participant. A newer session of the same device replaces the older.
public typealias SessionID = String

/// What the call carries when it begins; a voice call may become a video call.
public enum CallType: String, Hashable, Sendable, CaseIterable {
    /// Audio only.
    case voice
    /// Audio and video.
    case video
}

/// Where a call is in its life; it only ever moves down this list.
public enum CallState: String, Hashable, Sendable, CaseIterable {
    /// Nobody has answered.
    case ringing
    /// Answered, but two participants have not been joined by a socket at the same time yet.
    case connecting
    /// Two sockets have joined.
    case active
    /// Over, with a reason; nothing changes any more.
    case ended
}

/// Where one user stands in a call.
public enum ParticipantState: String, Hashable, Sendable, CaseIterable {
    /// Of the audience, no device told yet.
    case invited
    /// A device was told.
    case ringing
    /// In the call: the creator, and whoever answered.
    case joined
    /// In the call, its socket lost, its time of grace running.
    case reconnecting
    /// Was in the call.
    case left
    /// Said no.
    case rejected
    /// Was rung and never answered, or somebody else took the call.
    case missed

    /// Whether the user holds a place in the call.
    public var isPresent: Bool { self == .joined || self == .reconnecting }

    /// Whether the call still rings for the user.
    public var isRinging: Bool { self == .invited || self == .ringing }
}

/// Why a call ended.
public enum EndReason: String, Hashable, Sendable, CaseIterable {
    /// A participant ended an answered call.
    case hangup
    /// The creator gave up before anybody answered.
    case cancelled
    /// The last user it rang for said no.
    case rejected
    /// The last user it rang for is in another call and said so.
    case busy
    /// Nobody answered in time.
    case missed
    /// Too few were left.
    case left
    /// Two sockets did not join in time, or a client gave up on its connection.
    case failed
}
