import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import SocketIO

extension ConnectionGate {
    /// Whether a request is under the sockets' path.
    func isOurs(_ head: HTTPRequestHead) -> Bool {
        head.uri.utf8.starts(with: gateway.configuration.path.utf8)
    }

    /// A new request.
    func begin(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        if head.stopsParser { isLastRequest = true }
        guard isOurs(head) else {
            state = .router(owed: 0)
            passToRouter(head, context: context)
            return
        }
        setTimeout(gateway.configuration.bodyTimeout)
        if head.isWebSocketUpgrade {
            state = .upgrade(head)
        } else {
            let exchange = EngineExchange(id: EngineRequestID(rawValue: gateway.nextNumber()), head: head)
            announce(exchange, context: context)
        }
    }

    /// Hands a request to the router; its first one brings the router's handlers onto the connection.
    func passToRouter(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        guard case .router(let owed) = state else { return }
        if head.stopsParser { isLastRequest = true }
        setTimeout(gateway.configuration.bodyTimeout)
        do {
            try addHTTPPart(context: context)
            state = .router(owed: owed + 1)
            context.fireChannelRead(wrapInboundOut(.head(head)))
        } catch {
            logger.error("no router for a connection", metadata: ["error": "\(error)"])
            close(context: context)
        }
    }

    private func addHTTPPart(context: ChannelHandlerContext) throws {
        guard !hasHTTPPart else { return }
        hasHTTPPart = true
        do {
            try context.pipeline.syncOperations.addHandler(
                HTTP1ToHTTPServerCodec(secure: gateway.configuration.isSecure)
            )
            // Without a timeout of its own: it does not see the sockets' requests and would take them for idleness.
            try context.pipeline.syncOperations.addHandler(HTTPConnectionStateHandler(logger: logger))
            httpPart.succeed(
                try NIOAsyncChannel(
                    wrappingChannelSynchronously: context.channel,
                    configuration: .init(isOutboundHalfClosureEnabled: true)
                )
            )
        } catch {
            httpPart.fail(error)
            throw error
        }
    }
}

extension HTTPRequestHead {
    /// Whether the parser reads nothing more on this connection after this request.
    var stopsParser: Bool {
        method == .CONNECT || (headers.contains(name: "Upgrade") && hasToken("upgrade", in: "Connection"))
    }

    /// Whether this asks for the connection to become a WebSocket.
    var isWebSocketUpgrade: Bool {
        method == .GET && hasToken("websocket", in: "Upgrade") && hasToken("upgrade", in: "Connection")
    }

    private func hasToken(_ token: String, in field: String) -> Bool {
        headers[canonicalForm: field].contains { $0.lowercased() == token }
    }

    /// What the target says after `?`.
    var query: EngineQuery {
        EngineQuery(uri.drop { $0 != "?" }.dropFirst())
    }
}
