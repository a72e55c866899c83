public import NIOCore
public import SocketIO

/// How the sockets are served.
public struct GatewayConfiguration: Sendable {
    /// What request targets under it belong to us; begins and ends with a slash.
    public var path = "/socket.io/"
    /// The times and limits of a connection.
    public var engine = EngineConfiguration()
    /// The rules of Socket.IO; its namespaces are taken from the application.
    public var sockets = SocketConfiguration()
    /// Which foreign pages may connect.
    public var cors = CORSPolicy(origins: .none)
    /// Whether connections come to us encrypted.
    public var isSecure = false
    /// What the ids of sessions begin with, up to a dot, so that a server knows those of another; empty if there is none.
    public var sessionPrefix = ""
    /// Sessions alive at once; more are answered 503.
    public var maximumSessions = 100_000
    /// Events of one session that wait for the application before we stop reading from its client.
    public var backlogEvents = 64
    /// Bytes of events of one session that wait for the application before we stop reading from its client.
    public var backlogBytes = 256 << 10
    /// Events of one session that wait for the application before the client is cut: more than can be on its way in the
    /// moment in which we stop reading.
    public var maximumBacklogEvents = 4_096
    /// Header fields of the first request that the application gets to see, in lower case.
    public var keptHeaderFields: Set<String> = ["host", "origin", "x-forwarded-for", "x-forwarded-proto"]
    /// Whether a client may open a session; who may not is answered 403.
    public var admits: @Sendable (Handshake) -> Bool = { _ in true }

    /// From accepting a connection to the end of its first request's head.
    public var firstRequestTimeout: TimeAmount = .seconds(10)
    /// Between two requests of a connection.
    public var idleTimeout: TimeAmount = .seconds(75)
    /// From the head of a request to the end of its body.
    public var bodyTimeout: TimeAmount = .seconds(30)
    /// For the peer to end a connection after we have said the last word.
    public var lingerTimeout: TimeAmount = .seconds(5)

    /// The defaults of the protocol.
    public init() {}
}
