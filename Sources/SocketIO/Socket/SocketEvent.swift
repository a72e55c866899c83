/// An event that a client sent to a namespace.
public struct SocketEvent: Hashable, Sendable {
    /// The event's name; JavaScript clients may use a number, which is then its digits.
    public let name: String
    /// What followed the name, as it was written. Binary arguments are `{"_placeholder":true,"num":n}` here.
    public let arguments: [JSONText]
    /// The binary arguments, in the order of their placeholders' numbers.
    public let attachments: [[UInt8]]
    /// Whether the client waits for an acknowledgement.
    public let wantsAcknowledgement: Bool

    /// An event with its arguments.
    public init(
        name: String,
        arguments: [JSONText],
        attachments: [[UInt8]] = [],
        wantsAcknowledgement: Bool = false
    ) {
        self.name = name
        self.arguments = arguments
        self.attachments = attachments
        self.wantsAcknowledgement = wantsAcknowledgement
    }
}

/// The arguments of an acknowledgement.
public struct SocketReply: Hashable, Sendable {
    /// The arguments in order; binary ones are `{"_placeholder":true,"num":n}`.
    public let arguments: [JSONText]
    /// What the placeholders stand for, by number.
    public let attachments: [[UInt8]]

    /// A reply of these arguments.
    public init(_ arguments: [JSONText], attachments: [[UInt8]] = []) {
        self.arguments = arguments
        self.attachments = attachments
    }
}
