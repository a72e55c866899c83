public import CallModel

/// A notice that waits in the outbox.
public struct StoredNotice: Hashable, Sendable {
    /// The call that it tells of.
    public let callID: CallID
    /// What is sent.
    public let notice: CallNotice
    /// How often it was claimed to be sent, this time included.
    public let attempts: Int
    /// Since when it waits.
    public let createdAt: Timestamp

    /// A notice as the store has it.
    public init(callID: CallID, notice: CallNotice, attempts: Int, createdAt: Timestamp) {
        self.callID = callID
        self.notice = notice
        self.attempts = attempts
        self.createdAt = createdAt
    }
}

/// What came of sending a notice.
public enum NoticeOutcome: Hashable, Sendable {
    /// The receiver has it.
    case taken
    /// To be sent again, not before a moment.
    case postponed(until: Timestamp)
    /// Not to be sent any more.
    case givenUp(at: Timestamp)
}
