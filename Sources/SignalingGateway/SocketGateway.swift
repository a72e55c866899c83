public import HummingbirdCore
public import Logging
import NIOCore
public import SocketIO
import Synchronization

/// Serves Socket.IO, or bare Engine.IO, over long polling and WebSockets, beside an HTTP server's own routes.
///
/// `server()` gives the HTTP server that knows about sockets; requests outside the configured path go to its router.
public final class SocketGateway: Sendable {
    /// Who answers what the clients say.
    enum Handler: Sendable {
        case sockets(any SocketApplication)
        case messages(@Sendable (EngineMessage) -> [EngineMessage])
    }

    let configuration: GatewayConfiguration
    let handler: Handler
    let logger: Logger
    let registry = SessionRegistry()
    let mailboxes = SessionMailboxes()
    private let counter = Atomic<UInt64>(0)

    /// A Socket.IO server in front of `application`.
    public init(application: any SocketApplication, configuration: GatewayConfiguration, logger: Logger) {
        var configuration = configuration
        configuration.sockets.namespaces = application.namespaces
        self.configuration = configuration
        self.logger = logger
        handler = .sockets(application)
    }

    /// A bare Engine.IO server that answers each message with those that `respond` returns.
    public init(
        configuration: GatewayConfiguration,
        logger: Logger,
        respond: @escaping @Sendable (EngineMessage) -> [EngineMessage]
    ) {
        self.configuration = configuration
        self.logger = logger
        handler = .messages(respond)
    }

    /// An HTTP/1.1 server with the sockets beside the router, for Hummingbird's `Application(router:server:)`; wrap it
    /// in `.tls` for HTTPS and WSS.
    public func server() -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            GatewayChannel(gateway: self, responder: responder)
        }
    }

    /// Sessions alive.
    public var sessionCount: Int { registry.count }

    /// Ends every session, as clients are told, and returns when the application has heard of the last one.
    public func shutDown() async {
        for session in registry.close() {
            session.submit(.engine(.close(.serverShuttingDown)))
        }
        await registry.untilQuiet()
    }

    /// A number that no request and no WebSocket of this process has had.
    func nextNumber() -> UInt64 {
        counter.wrappingAdd(1, ordering: .relaxed).newValue
    }
}
