/// The rules and limits of Socket.IO on a connection.
public struct SocketConfiguration: Hashable, Sendable {
    /// The namespaces that clients may enter.
    public var namespaces: Set<String> = ["/"]
    /// How long a client may take to enter its first namespace.
    public var connectTimeout: Duration = .seconds(45)
    /// Binary attachments of one packet.
    public var maximumAttachments = 10
    /// Arguments of one event or acknowledgement, the event's name counted.
    public var maximumArguments = 256
    /// UTF-8 bytes of a namespace's name.
    public var maximumNamespaceBytes = 256
    /// The shape of a packet's JSON.
    public var json = JSONLimits(maximumDepth: 64, maximumBytes: .max)

    /// The defaults of the protocol, with the main namespace alone.
    public init() {}
}
