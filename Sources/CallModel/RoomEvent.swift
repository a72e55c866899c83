/// What a call's room is told of it: an event of the homeserver's, to be sent there in a member's name.
public struct RoomEvent: Hashable, Sendable {
    /// The number of the call's event that it tells of.
    public let sequence: Int64
    /// Its place among those that tell of the same one, from 0.
    public let part: Int
    /// The event's type, such as `m.call.invite`.
    public let type: String
    /// Whose event it is.
    public let sender: UserID
    /// Its content, a JSON object.
    public let content: String
    /// By what the homeserver tells a repetition; no two events have the same.
    public let transactionID: String
    /// From when on it is not sent any more.
    public let expiresAt: Timestamp

    /// An event that was composed, or that was stored.
    public init(
        sequence: Int64,
        part: Int,
        type: String,
        sender: UserID,
        content: String,
        transactionID: String,
        expiresAt: Timestamp
    ) {
        self.sequence = sequence
        self.part = part
        self.type = type
        self.sender = sender
        self.content = content
        self.transactionID = transactionID
        self.expiresAt = expiresAt
    }

    /// The type of what a call's other events mean nothing without.
    public static let inviteType = "m.call.invite"
}
