import CallBench
import NIOCore
import NIOWebSocket
import NetPrimitives

/// A WebSocket's end of the pipeline, as a client of one namespace. Lives on one event loop.
final class SocketHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// One key for all frames: nothing between the generator and a server under test has to be kept from guessing it.
    private let maskingKey: WebSocketMaskingKey

    /// What CONNECT carries.
    private let auth: String
    private let connected: EventLoopPromise<Void>
    private var context: ChannelHandlerContext?
    private var nextAcknowledgement = 0
    private var acknowledgements: [Int: (String) -> Void] = [:]
    private var unclaimed: [String: [HeardEvent]] = [:]
    private var waiters: [(event: String, promise: EventLoopPromise<HeardEvent>)] = []
    /// Hears every event; those that it answers `true` to are not kept for `next`.
    var onEvent: ((_ name: String, _ payload: String) -> Bool)?
    var onClose: (() -> Void)?

    init(auth: String, connected: EventLoopPromise<Void>) {
        self.auth = auth
        self.connected = connected
        var generator = SystemRandomNumberGenerator()
        maskingKey = .random(using: &generator)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text:
            let bytes = frame.unmaskedData
            receive(ClientPacket(String(buffer: bytes)))
        case .connectionClose:
            context.close(promise: nil)
        default:
            break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let failure = CallBenchFailure("the server closed the connection")
        connected.fail(failure)
        acknowledgements = [:]
        for waiter in waiters { waiter.promise.fail(failure) }
        waiters = []
        onClose?()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func receive(_ packet: ClientPacket) {
        switch packet {
        case .open: send("40" + auth)
        case .ping: send("3")
        case .connected: connected.succeed()
        case .refused(let reason): connected.fail(CallBenchFailure("the server refused a socket: \(reason)"))
        case .event(let name, let payload): hear(name, payload)
        case .acknowledgement(let number, let payload): acknowledgements.removeValue(forKey: number)?(payload)
        case .closed: context?.close(promise: nil)
        case .other: break
        }
    }

    private func hear(_ name: String, _ payload: String) {
        if onEvent?(name, payload) == true { return }
        let heard = HeardEvent(payload: payload, at: EventLoad.now())
        if let index = waiters.firstIndex(where: { $0.event == name }) {
            waiters.remove(at: index).promise.succeed(heard)
        } else {
            unclaimed[name, default: []].append(heard)
        }
    }

    /// The next event of this name that nobody has claimed.
    func next(_ event: String, promise: EventLoopPromise<HeardEvent>) {
        if var waiting = unclaimed[event], !waiting.isEmpty {
            promise.succeed(waiting.removeFirst())
            unclaimed[event] = waiting.isEmpty ? nil : waiting
        } else {
            waiters.append((event, promise))
        }
    }

    /// Forgets events that nobody claimed.
    func forgetUnclaimed() { unclaimed = [:] }

    /// Sends an event and hears its acknowledgement.
    func emit(_ event: String, _ payload: String, flush: Bool = true, _ answered: @escaping (String) -> Void) {
        let number = nextAcknowledgement
        nextAcknowledgement += 1
        acknowledgements[number] = answered
        send("42\(number)[\"\(event)\",\(payload)]", flush: flush)
    }

    func flush() { context?.flush() }

    private func send(_ text: String, flush: Bool = true) {
        guard let context else { return }
        let bytes = context.channel.allocator.buffer(string: text)
        let frame = WebSocketFrame(fin: true, opcode: .text, maskKey: maskingKey, data: bytes)
        context.write(wrapOutboundOut(frame), promise: nil)
        if flush { context.flush() }
    }
}

/// An event, and when it came.
struct HeardEvent: Sendable {
    let payload: String
    let at: Instant
}

/// Why a run cannot go on.
struct CallBenchFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
