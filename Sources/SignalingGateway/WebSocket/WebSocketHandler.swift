import NIOCore
import NIOWebSocket
import SocketIO

/// A WebSocket's end of the pipeline: frames in, messages to the session; the session's frames out.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = Never
    typealias OutboundOut = WebSocketFrame

    private enum State {
        case open
        /// The closing handshake has begun: nothing counts any more but the peer's own closing frame.
        case closing
        case closed
    }

    /// The longest header of an unmasked frame, which the encoder puts in front of the data if there is room.
    private static let headerRoom = 10

    let id: EngineWebSocketID
    var session: SessionReference?
    private let closeTimeout: TimeAmount
    /// Whether a router's handlers sleep behind us. They believe that the connection is theirs: what they ask of it
    /// must not happen, and they may keep reads to themselves.
    private let hasHTTPPart: Bool
    private var assembler: WebSocketAssembler
    private var state = State.open
    private var context: ChannelHandlerContext?
    private var isReading = true
    private var isReadPending = false
    private var needsFlush = false

    init(id: EngineWebSocketID, maximumMessageSize: Int, closeTimeout: TimeAmount, hasHTTPPart: Bool) {
        self.id = id
        self.closeTimeout = closeTimeout
        self.hasHTTPPart = hasHTTPPart
        assembler = WebSocketAssembler(maximumMessageSize: maximumMessageSize)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    // MARK: From the client

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let event = assembler.receive(unwrapInboundIn(data))
        switch (state, event) {
        case (.open, .message(let message)):
            session?.submit(.engine(.webSocketReceived(id, message)))
        case (.open, .ping(let payload)):
            // A client that pings and never reads must not make us collect the answers.
            guard context.channel.isWritable else { return }
            let pong = WebSocketFrame(fin: true, opcode: .pong, data: payload)
            context.writeAndFlush(wrapOutboundOut(pong), promise: nil)
        case (.open, .close(let status)):
            report(.transportClose)
            sendClose(status ?? 1000, context: context)
            finish(context: context)
        case (.open, .violation(let status)):
            report(.transportError)
            close(.status(status))
        case (.closing, .close), (.closing, .violation):
            finish(context: context)
        case (.open, .nothing), (.closing, _), (.closed, _):
            break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if hasHTTPPart {
            read(context: context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard case .open = state, let error = error as? NIOWebSocketError else {
            // The decoder reports everything that follows an error as another one.
            if case .open = state { fail(context: context) }
            return
        }
        report(.transportError)
        sendClose(error == .invalidFrameLength ? 1009 : 1002, context: context)
        // The decoder is dead, so the peer's closing frame cannot be read: the end of our side has to do. What still
        // comes is thrown away, since closing over unread bytes would take the closing frame back.
        startClosing(context: context)
        context.close(mode: .output, promise: nil)
    }

    private func fail(context: ChannelHandlerContext) {
        report(.transportError)
        finish(context: context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        report(.transportClose)
        state = .closed
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        session?.submit(.engine(.webSocketWritable(id, context.channel.isWritable)))
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            session?.submit(.engine(.close(.serverShuttingDown)))
            // A WebSocket that is not yet its session's transport is not closed with it at once.
            if case .open = state { close(.status(1001)) }
        case ChannelEvent.inputClosed:
            fail(context: context)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Tells the session, once, that the client is gone.
    private func report(_ reason: DisconnectReason) {
        session?.submit(.engine(.webSocketClosed(id, reason)))
        session = nil
    }

    // MARK: From the session

    func write(_ frame: EngineFrame) {
        guard case .open = state, let context else { return }
        var data = context.channel.allocator.buffer(capacity: Self.headerRoom + frame.byteCount)
        data.moveWriterIndex(to: Self.headerRoom)
        data.moveReaderIndex(to: Self.headerRoom)
        let opcode: WebSocketOpcode
        switch frame {
        case .text(let text):
            opcode = .text
            data.writeString(text)
        case .binary(let bytes):
            opcode = .binary
            data.writeBytes(bytes)
        }
        needsFlush = true
        context.write(wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, data: data)), promise: nil)
    }

    func flush() {
        guard needsFlush, let context else { return }
        needsFlush = false
        context.flush()
    }

    func setReading(_ reading: Bool) {
        isReading = reading
        if reading, isReadPending, let context {
            isReadPending = false
            context.read()
        }
    }

    func close(_ closure: WebSocketClosure) {
        session = nil
        guard case .open = state, let context else { return }
        switch closure {
        case .abort:
            finish(context: context)
        case .status(let status):
            sendClose(status, context: context)
            startClosing(context: context)
        }
    }

    private func sendClose(_ status: UInt16, context: ChannelHandlerContext) {
        var payload = context.channel.allocator.buffer(capacity: 2)
        payload.writeInteger(status)
        let frame = WebSocketFrame(fin: true, opcode: .connectionClose, data: payload)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    /// Waits for the peer's closing frame, but not for ever.
    private func startClosing(context: ChannelHandlerContext) {
        state = .closing
        setReading(true)
        let channel = context.channel
        context.eventLoop.assumeIsolated().scheduleTask(in: closeTimeout) { [weak self] in
            guard let self, let context = self.context, channel.isActive else { return }
            self.finish(context: context)
        }
    }

    private func finish(context: ChannelHandlerContext) {
        state = .closed
        context.close(promise: nil)
    }

    // MARK: From the handlers behind

    func read(context: ChannelHandlerContext) {
        if isReading {
            context.read()
        } else {
            isReadPending = true
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.outputClosed)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if hasHTTPPart, mode != .all {
            promise?.succeed()
        } else {
            context.close(mode: mode, promise: promise)
        }
    }
}
