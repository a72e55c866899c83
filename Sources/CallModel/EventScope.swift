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
        case .ringing, .resumed, .disconnected, .relayAllocated, .relayReleased, .roomEventUndelivered: nil
        }
    }
}
