/// Why a socket, or the connection under it, ended.
public enum DisconnectReason: String, Hashable, Sendable {
    /// The client left the namespace.
    case clientNamespaceDisconnect = "client namespace disconnect"
    /// The application put the socket out of the namespace.
    case serverNamespaceDisconnect = "server namespace disconnect"
    /// The client closed the connection.
    case transportClose = "transport close"
    /// The connection broke, or the client broke a rule of the transport.
    case transportError = "transport error"
    /// The client answered no ping in time.
    case pingTimeout = "ping timeout"
    /// The client sent what is no packet.
    case parseError = "parse error"
    /// The client sent a packet that its state does not allow, or the application closed the connection.
    case forcedServerClose = "forced server close"
    /// The client entered no namespace in time.
    case connectTimeout = "connect timeout"
    /// The client took up what it was sent too slowly.
    case slowReader = "slow reader"
    /// The client sent faster than the application took it up.
    case backlogExceeded = "backlog exceeded"
    /// The server goes down.
    case serverShuttingDown = "server shutting down"
}
