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
    /// The payload, a JSON object: `{"callId":"…","seq":…` and then `body`.
    public let payload: String

    private let callID: CallID

    /// An event for clients. `body` is what follows the number in its payload: `}`, or `,` and its other members.
    public init(
        callID: CallID,
        sequence: Int64,
        name: String,
        scope: EventScope,
        sender: UserID?,
        recipient: UserID?,
        body: String
    ) {
        self.init(
            callID: callID,
            sequence: sequence,
            name: name,
            scope: scope,
            sender: sender,
            recipient: recipient,
            payload: Self.head(of: callID, sequence) + body
        )
    }

    /// An event as it was stored; `payload` is one that the other initializer made.
    public init(
        callID: CallID,
        sequence: Int64,
        name: String,
        scope: EventScope,
        sender: UserID?,
        recipient: UserID?,
        payload: String
    ) {
        self.callID = callID
        self.sequence = sequence
        self.name = name
        self.scope = scope
        self.sender = sender
        self.recipient = recipient
        self.payload = payload
    }

    /// What follows the number in the payload.
    public var body: String {
        String(decoding: payload.utf8.dropFirst(Self.head(of: callID, sequence).utf8.count), as: UTF8.self)
    }

    /// The same event under a number that is higher by `count`.
    public func renumbered(by count: Int64) -> OutgoingEvent {
        OutgoingEvent(
            callID: callID,
            sequence: sequence &+ count,
            name: name,
            scope: scope,
            sender: sender,
            recipient: recipient,
            body: body
        )
    }

    /// An id has no character that JSON would write otherwise. The store writes the same.
    private static func head(of callID: CallID, _ sequence: Int64) -> String {
        "{\"callId\":\"\(callID.rawValue)\",\"seq\":\(sequence)"
    }
}
