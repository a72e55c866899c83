/// The 5-tuple a client is known by: its transport address, our socket that it reached, and the protocol between.
public struct Flow: Hashable, Sendable, BitwiseCopyable {
    /// The protocol between client and server.
    public enum Transport: UInt8, Sendable, BitwiseCopyable {
        case udp, tcp, tls, dtls
    }

    /// The client's transport address as the server sees it.
    public let client: Endpoint
    /// The listening socket (or the stream connection) that the client's bytes came in by.
    public let socket: SocketID
    /// The protocol between client and server.
    public let transport: Transport

    /// The 5-tuple of bytes that came from `client` by `socket`.
    @inlinable
    public init(client: Endpoint, socket: SocketID, transport: Transport) {
        self.client = client
        self.socket = socket
        self.transport = transport
    }
}
