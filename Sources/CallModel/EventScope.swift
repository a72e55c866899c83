/// Which sockets hear of an event.
public enum EventScope: String, Hashable, Sendable, CaseIterable {
    /// Every connected socket of everybody whom the call rings for: all but the creator.
    case invited
    /// Every connected socket of the whole audience.
    case audience
    /// The joined sockets of the others in the call; of one of them, if the event names a recipient.
    case joined
    /// As `joined`, and every connected socket of the user it is about, so that all of its devices stop ringing.
    case joinedAndOwn
}

extension CallEventKind {
    /// Who hears of it; `nil` for what stands in the history alone.
    public var scope: EventScope? {
        switch self {
        case .initiated: .invited
        case .answered, .ended: .audience
        case .joined, .left, .audioToggled, .videoToggled, .mediaState, .signal: .joined
        case .rejected, .missed: .joinedAndOwn
        case .ringing, .resumed, .disconnected, .relayAllocated, .relayReleased: nil
        }
    }
}

/// An event as it goes out to clients and is kept for those who miss it.
public struct OutgoingEvent: Hashable, Sendable {
    /// The event's number in its call.
    public let sequence: Int64
    /// The Socket.IO event's name.
    public let name: String
    /// Who hears it.
    public let scope: EventScope
    /// Whose act it was; never told to the same user's joined socket.
    public let sender: UserID?
    /// The only one it is for, if it is for one.
    public let recipient: UserID?
    /// The payload, a JSON object.
    public let payload: String

    /// An event for clients.
    public init(
        sequence: Int64,
        name: String,
        scope: EventScope,
        sender: UserID?,
        recipient: UserID?,
        payload: String
    ) {
        self.sequence = sequence
        self.name = name
        self.scope = scope
        self.sender = sender
        self.recipient = recipient
        self.payload = payload
    }
}
