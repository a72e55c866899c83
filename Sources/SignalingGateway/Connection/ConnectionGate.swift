import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import SocketIO

/// Stands between the HTTP codec and everything else on a connection.
///
/// Requests under the sockets' path are answered here, or turn the connection into a WebSocket; all others pass on to the
/// router, whose handlers are added when the first of them comes. One request is in work at a time as far as the sockets
/// are concerned: what a client sends ahead is held back, and so are reads, so that it stays in the kernel's buffer.
final class ConnectionGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// What the connection is busy with.
    enum State {
        case idle
        /// A request under the sockets' path.
        case exchange(EngineExchange)
        /// A request to become a WebSocket, up to its end.
        case upgrade(HTTPRequestHead)
        /// Requests of the router's, `owed` of them unanswered.
        case router(owed: Int)
        /// Answered already; the rest of the body is thrown away.
        case draining(byteCount: Int, closes: Bool)
        /// A WebSocket, or nothing any more.
        case finished
    }

    let gateway: SocketGateway
    let logger: Logger
    let encoder: HTTPResponseEncoder
    let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    let httpPart: EventLoopPromise<GatewayChannel.HTTPPart?>
    var context: ChannelHandlerContext?
    var state = State.idle
    /// Parts of requests whose turn has not come.
    private var held: [HTTPServerRequestPart] = []
    private var isResuming = false
    private var isReadPending = false
    var hasHTTPPart = false
    /// After a request that asked for an upgrade the parser is dead: nothing can follow on this connection.
    var isLastRequest = false
    var isQuiescing = false
    private var deadline: NIODeadline?
    private var timer: (task: Scheduled<Void>, at: NIODeadline)?

    init(
        gateway: SocketGateway,
        logger: Logger,
        encoder: HTTPResponseEncoder,
        decoder: ByteToMessageHandler<HTTPRequestDecoder>,
        httpPart: EventLoopPromise<GatewayChannel.HTTPPart?>
    ) {
        self.gateway = gateway
        self.logger = logger
        self.encoder = encoder
        self.decoder = decoder
        self.httpPart = httpPart
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        setTimeout(gateway.configuration.firstRequestTimeout)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        setTimeout(nil)
        timer?.task.cancel()
        timer = nil
        self.context = nil
        finishHTTPPart()
    }

    /// The router will not be asked for anything if it has not been yet.
    func finishHTTPPart() {
        if !hasHTTPPart {
            hasHTTPPart = true
            httpPart.succeed(nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .exchange(let exchange) = state, let session = exchange.session {
            session.submit(.engine(.requestAborted(exchange.id)))
        }
        state = .finished
        held = []
        finishHTTPPart()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if !held.isEmpty || !canProcess(part) {
            held.append(part)
        } else {
            process(part, context: context)
        }
    }

    /// Whether it is this part's turn.
    private func canProcess(_ part: HTTPServerRequestPart) -> Bool {
        switch state {
        case .idle, .upgrade, .draining, .finished: return true
        case .exchange(let exchange): return !exchange.isComplete
        case .router(let owed):
            guard case .head(let head) = part else { return true }
            return owed == 0 || !isOurs(head)
        }
    }

    private func process(_ part: HTTPServerRequestPart, context: ChannelHandlerContext) {
        switch (state, part) {
        case (.finished, _): break
        case (.idle, .head(let head)): begin(head, context: context)
        case (.router(let owed), .head(let head)) where owed == 0 && isOurs(head): begin(head, context: context)
        case (.router, .head(let head)): passToRouter(head, context: context)
        case (.router(let owed), .end):
            setTimeout(owed == 0 ? gateway.configuration.idleTimeout : nil)
            context.fireChannelRead(wrapInboundOut(part))
        case (.router, .body): context.fireChannelRead(wrapInboundOut(part))
        case (.exchange(let exchange), .body(let bytes)):
            if exchange.append(bytes, limit: gateway.configuration.engine.maximumPayload) {
                refuseLargeBody(exchange)
            }
        case (.exchange(let exchange), .end): complete(exchange, context: context)
        case (.upgrade(let head), .end): upgrade(head, context: context)
        case (.draining(let byteCount, let closes), .body(let bytes)):
            drain(byteCount + bytes.readableBytes, closes: closes, context: context)
        case (.draining(_, let closes), .end): endDraining(closes: closes, context: context)
        // A WebSocket handshake has no body; parts without a head do not come out of the parser.
        case (.upgrade, _), (.idle, _), (.exchange, .head), (.draining, .head):
            close(context: context)
        }
    }

    /// Takes up what was held back, as far as it can be.
    func resume() {
        guard !isResuming, let context else { return }
        isResuming = true
        while let part = held.first, canProcess(part) {
            held.removeFirst()
            process(part, context: context)
        }
        isResuming = false
        // The router's end of the pipeline hands over what it was given when a read is complete, which it was long ago.
        if case .router(let owed) = state, owed > 0 {
            context.fireChannelReadComplete()
        }
        if isReadPending, canRead {
            isReadPending = false
            context.read()
        }
    }

    private var canRead: Bool {
        guard held.isEmpty else { return false }
        switch state {
        case .idle, .upgrade, .draining, .finished: return true
        case .exchange(let exchange): return !exchange.isComplete
        case .router: return !isLastRequest
        }
    }

    func read(context: ChannelHandlerContext) {
        if canRead {
            context.read()
        } else {
            isReadPending = true
        }
    }

    /// The router's answers pass by here.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where isLastRequest:
            head.headers.replaceOrAdd(name: "Connection", value: "close")
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            finishRouterResponse(data, promise: promise, context: context)
        case .head, .body:
            context.write(data, promise: promise)
        }
    }

    private func finishRouterResponse(_ data: NIOAny, promise: EventLoopPromise<Void>?, context: ChannelHandlerContext)
    {
        guard case .router(let owed) = state, owed == 1 else {
            if case .router(let owed) = state { state = .router(owed: owed - 1) }
            context.write(data, promise: promise)
            return
        }
        state = .router(owed: 0)
        if isLastRequest || isQuiescing {
            writeLast(data, promise: promise, context: context)
        } else {
            context.write(data, promise: promise)
            setTimeout(gateway.configuration.idleTimeout)
            resume()
        }
    }

    /// Writes the end of the last response and closes once all of it has gone out, if the peer takes it in time.
    func writeLast(_ data: NIOAny, promise: EventLoopPromise<Void>?, context: ChannelHandlerContext) {
        setTimeout(gateway.configuration.bodyTimeout)
        let promise = promise ?? context.eventLoop.makePromise()
        let channel = context.channel
        promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
        context.writeAndFlush(data, promise: promise)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            quiesce(context: context)
        case ChannelEvent.inputClosed:
            close(context: context)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// The server goes down: what is being answered is answered first.
    private func quiesce(context: ChannelHandlerContext) {
        isQuiescing = true
        switch state {
        case .idle, .router(owed: 0), .draining: close(context: context)
        case .exchange(let exchange): exchange.session?.submit(.engine(.close(.serverShuttingDown)))
        case .upgrade, .router, .finished: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .router = state {
            context.fireErrorCaught(error)
        } else if case .idle = state, error is HTTPParserError {
            state = .finished
            respond(EngineResponse(status: .badRequest), version: .http1_1, ending: .closes, context: context)
        } else {
            close(context: context)
        }
    }

    func close(context: ChannelHandlerContext) {
        context.close(promise: nil)
    }

    /// Closes the connection unless something happens within `amount`; nil waits for ever.
    func setTimeout(_ amount: TimeAmount?) {
        guard let amount, let context else {
            deadline = nil
            return
        }
        let deadline = NIODeadline.now() + amount
        self.deadline = deadline
        if let timer, timer.at <= deadline { return }
        timer?.task.cancel()
        startTimer(at: deadline, context: context)
    }

    /// One timer serves for all: when it fires too early it starts anew for what is left.
    private func startTimer(at time: NIODeadline, context: ChannelHandlerContext) {
        let task = context.eventLoop.assumeIsolated().scheduleTask(deadline: time) { [self] in
            timer = nil
            guard let deadline, let context = self.context else { return }
            if deadline <= .now() {
                logger.trace("connection timed out")
                close(context: context)
            } else {
                startTimer(at: deadline, context: context)
            }
        }
        timer = (task, time)
    }
}
