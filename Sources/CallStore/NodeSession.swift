public import CallModel

/// A socket by which a user is in a call, as the store has it.
public struct NodeSession: Hashable, Sendable {
    /// The call.
    public let callID: CallID
    /// Who is in it.
    public let userID: UserID
    /// By which socket.
    public let session: SessionID

    /// A user's socket in a call.
    public init(callID: CallID, userID: UserID, session: SessionID) {
        self.callID = callID
        self.userID = userID
        self.session = session
    }
}

/// What a server finds when it says that it is there.
public struct NodeCensus: Hashable, Sendable {
    /// Whether this one was known. If it was forgotten meanwhile, its sockets are in no call any more.
    public let isKnown: Bool
    /// Others that have not been heard of for too long.
    public let lost: [String]

    /// What was found.
    public init(isKnown: Bool, lost: [String]) {
        self.isKnown = isKnown
        self.lost = lost
    }
}
