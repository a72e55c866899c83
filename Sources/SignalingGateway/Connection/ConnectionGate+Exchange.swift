import NIOCore
import NIOHTTP1
import SocketIO

extension ConnectionGate {
    /// The head of a request that is not for a WebSocket. A POST to a session is announced to it at once, because a
    /// second one beside it breaks the protocol; everything else waits for the end of the request.
    func announce(_ exchange: EngineExchange, context: ChannelHandlerContext) {
        state = .exchange(exchange)
        if exchange.head.method == .POST, exchange.head.query.transport == "polling",
            case .session(let session) = target(of: exchange.head, isUpgrade: false)
        {
            exchange.session = session
            submit(.postBegan(exchange.id, isBinary: exchange.isBinary), exchange, to: session, context: context)
        }
    }

    /// The request has come to its end.
    func complete(_ exchange: EngineExchange, context: ChannelHandlerContext) {
        exchange.isComplete = true
        setTimeout(nil)
        if let session = exchange.session {
            session.submit(.engine(.postReceived(exchange.id, body: exchange.text())))
            return
        }
        if exchange.head.method == .OPTIONS, let preflight = preflight(exchange.head) {
            finish(exchange, preflight, context: context)
            return
        }
        switch target(of: exchange.head, isUpgrade: false) {
        case .error(let error):
            let prefix = gateway.configuration.sessionPrefix
            let id = exchange.head.query.sessionID ?? ""
            let isElsewhere = !prefix.isEmpty && id.contains(".") && !id.hasPrefix(prefix)
            finish(exchange, EngineResponse(error, isElsewhere: isElsewhere), context: context)
        case .new(let forcesBase64):
            open(exchange, forcesBase64: forcesBase64, context: context)
        case .session(let session):
            let isPolling = exchange.head.query.transport == "polling"
            let input: EngineInput =
                exchange.head.method == .GET && isPolling
                ? .poll(exchange.id) : .foreignRequest(exchange.id, isPolling: isPolling)
            exchange.session = session
            submit(input, exchange, to: session, context: context)
        }
    }

    /// Tells a session of a request, and where to answer it.
    private func submit(
        _ input: EngineInput,
        _ exchange: EngineExchange,
        to session: SessionReference,
        context: ChannelHandlerContext
    ) {
        let pending = PendingExchange(id: exchange.id, gate: self, eventLoop: context.eventLoop)
        session.perform { driver in
            driver.exchanges.append(pending)
            driver.submit(.engine(input))
        }
    }

    private func open(_ exchange: EngineExchange, forcesBase64: Bool, context: ChannelHandlerContext) {
        let pending = PendingExchange(id: exchange.id, gate: self, eventLoop: context.eventLoop)
        let driver = SessionDriver(
            gateway: gateway,
            eventLoop: context.eventLoop,
            opening: .polling(pending, forcesBase64: forcesBase64),
            handshake: handshake(of: exchange.head, context: context)
        )
        let limit = gateway.configuration.maximumSessions
        guard gateway.registry.insert(SessionReference(driver), id: driver.id, limit: limit) else {
            finish(exchange, EngineResponse(status: .serviceUnavailable), context: context)
            return
        }
        driver.start()
    }

    private func preflight(_ head: HTTPRequestHead) -> EngineResponse? {
        let fields = gateway.configuration.cors.preflightFields(
            for: head.headers.first(name: "Origin"),
            requestedHeaders: head.headers.first(name: "Access-Control-Request-Headers")
        )
        return fields.map { EngineResponse(status: .noContent, fields: $0) }
    }

    /// The body has gone over the limit.
    func refuseLargeBody(_ exchange: EngineExchange) {
        guard let context else { return }
        // Whoever sends so much may go on for long: answer, and do not keep the connection.
        isLastRequest = true
        if let session = exchange.session {
            session.submit(.engine(.postTooLarge(exchange.id)))
        } else {
            finish(exchange, EngineResponse(.tooLarge), context: context)
        }
    }

    /// A session's answer to the request in work.
    func answer(_ id: EngineRequestID, _ answer: EngineAnswer) {
        guard case .exchange(let exchange) = state, exchange.id == id, let context else { return }
        finish(exchange, EngineResponse(answer), context: context)
    }

    /// Sends the response and makes ready for what follows the request.
    func finish(_ exchange: EngineExchange, _ response: EngineResponse, context: ChannelHandlerContext) {
        let closes = isLastRequest || isQuiescing || !exchange.head.isKeepAlive
        var response = response
        let isHead = exchange.head.method == .HEAD
        if exchange.head.method != .OPTIONS || response.status != .noContent {
            response.fields += gateway.configuration.cors.fields(for: exchange.head.headers.first(name: "Origin"))
        }
        let ending: ResponseEnding = !closes ? .keeps : exchange.isComplete ? .closes : .closesLater
        respond(response, version: exchange.head.version, ending: ending, withoutBody: isHead, context: context)
        switch (exchange.isComplete, closes) {
        case (true, true):
            state = .finished
        case (true, false):
            endDraining(closes: false, context: context)
        case (false, _):
            state = .draining(byteCount: 0, closes: closes)
            setTimeout(gateway.configuration.lingerTimeout)
        }
    }

    /// What becomes of a connection after a response.
    enum ResponseEnding {
        case keeps
        case closes
        /// It closes when the rest of the request has come in; until then the client could not hear the answer.
        case closesLater
    }

    func respond(
        _ response: EngineResponse,
        version: HTTPVersion,
        ending: ResponseEnding,
        withoutBody: Bool = false,
        context: ChannelHandlerContext
    ) {
        let head = response.head(version: version, closes: ending != .keeps)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !response.body.isEmpty, !withoutBody {
            let bytes = context.channel.allocator.buffer(string: response.body)
            context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
        }
        if ending == .closes {
            writeLast(wrapOutboundOut(.end(nil)), promise: nil, context: context)
        } else {
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    /// More of a body that nobody wants.
    func drain(_ byteCount: Int, closes: Bool, context: ChannelHandlerContext) {
        guard byteCount <= 4 * gateway.configuration.engine.maximumPayload else {
            close(context: context)
            return
        }
        state = .draining(byteCount: byteCount, closes: closes)
    }

    /// Request and response are over.
    func endDraining(closes: Bool, context: ChannelHandlerContext) {
        if closes {
            state = .finished
            close(context: context)
            return
        }
        state = hasHTTPPart ? .router(owed: 0) : .idle
        setTimeout(gateway.configuration.idleTimeout)
        resume()
    }
}
