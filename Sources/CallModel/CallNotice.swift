/// What others, who have no socket here, are to be told of a call: by the outbox, once at least, in the order of the call's events.
public struct CallNotice: Hashable, Sendable {
    /// The number of the event that it tells of.
    public let sequence: Int64
    /// Stays the same however often it is sent, so that the receiver can tell a repetition.
    public let id: String
    /// What is sent, a JSON object.
    public let payload: String

    /// A notice of one event.
    public init(sequence: Int64, id: String, payload: String) {
        self.sequence = sequence
        self.id = id
        self.payload = payload
    }
}
