public import CallModel

/// Bytes that the relay carried for one participant of one call, to be added to what is stored.
public struct CallRelayUse: Hashable, Sendable {
    /// The call.
    public let callID: CallID
    /// The participant.
    public let userID: UserID
    /// What to add.
    public let use: RelayUse

    /// Names what was carried for whom.
    public init(callID: CallID, userID: UserID, use: RelayUse) {
        self.callID = callID
        self.userID = userID
        self.use = use
    }
}

/// A call that is over, and since when.
public struct CallEnding: Hashable, Sendable {
    /// The call.
    public let callID: CallID
    /// When it ended.
    public let endedAt: Timestamp

    /// A call that ended at a moment.
    public init(callID: CallID, endedAt: Timestamp) {
        self.callID = callID
        self.endedAt = endedAt
    }
}
