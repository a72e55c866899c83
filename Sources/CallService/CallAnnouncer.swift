public import CallModel

/// A place where sockets of this node are: of a user, or joined to a call. Others name their messages after it.
public enum PresentRoom: Hashable, Sendable {
    case user(UserID)
    case call(CallID)

    /// How it is called between servers.
    public var name: String {
        switch self {
        case .user(let id): "user:\(id)"
        case .call(let id): "call:\(id.rawValue)"
        }
    }
}

/// Tells other nodes what was committed here, as a hint: the store is the truth. Returns at once.
public protocol CallAnnouncer: Sendable {
    /// These events of a call were committed.
    func announce(_ events: [OutgoingEvent], of call: Call)
    /// From now on there are sockets of a room here, or there are none any more.
    func changed(_ room: PresentRoom, isPresent: Bool)
}
