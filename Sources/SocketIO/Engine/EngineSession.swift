public import NetPrimitives

/// One client's Engine.IO connection (protocol 4), over polling, over a WebSocket, or on its way from one to the other.
///
/// It is told what happened and what time it is, and answers with what to do. After a batch of inputs `flush` must be
/// called: packets collect until then, so that those of one batch travel together.
public struct EngineSession: Sendable {
    /// The session's id, a secret between the client and us.
    public let id: String
    let configuration: EngineConfiguration
    /// Whether the client wants binary messages as text on a WebSocket too.
    let forcesBase64: Bool
    var phase = Phase.open
    var transport: Transport
    var heartbeat: Heartbeat
    var pendingPoll: EngineRequestID?
    var pendingPost: PendingPost?
    var candidate: Candidate?
    var outbound: [EngineFrame] = []
    var outboundByteCount = 0
    var isBacklogged = false
    /// Whether the WebSocket in use takes more.
    var isWritable = true

    /// What the session is still good for.
    enum Phase: Hashable, Sendable {
        case open
        /// We closed it; the next poll, until then, carries the news.
        case closing(until: Instant)
        /// The client closed it; one poll that was on its way is still answered, until then.
        case departed(until: Instant)
        case closed
    }

    /// What carries the packets.
    enum Transport: Hashable, Sendable {
        case polling
        case webSocket(EngineWebSocketID)
    }

    /// Whose turn it is.
    enum Heartbeat: Hashable, Sendable {
        case pingDue(Instant)
        case pongDue(Instant)
    }

    /// A POST whose body is on its way, or waits for the application to catch up.
    struct PendingPost: Hashable, Sendable {
        let id: EngineRequestID
        var isReceived = false
    }

    /// A WebSocket that may take over from polling.
    struct Candidate: Hashable, Sendable {
        let id: EngineWebSocketID
        let until: Instant
        var isProbed = false
        /// When a poll that is pending is to be released.
        var releaseAt: Instant?
    }

    /// A session that the client opened with the GET `request`.
    public init(
        id: String,
        configuration: EngineConfiguration,
        polling request: EngineRequestID,
        forcesBase64: Bool,
        now: Instant,
        into effects: inout [EngineEffect]
    ) {
        self.init(id: id, configuration: configuration, transport: .polling, forcesBase64: forcesBase64, now: now)
        enqueue(configuration.openPacket(sessionID: id, upgrades: ["websocket"]))
        effects.append(.answer(request, .payload(takeOutboundPayload())))
    }

    /// A session that the client opened with a WebSocket.
    public init(
        id: String,
        configuration: EngineConfiguration,
        webSocket: EngineWebSocketID,
        forcesBase64: Bool,
        now: Instant,
        into effects: inout [EngineEffect]
    ) {
        let transport = Transport.webSocket(webSocket)
        self.init(id: id, configuration: configuration, transport: transport, forcesBase64: forcesBase64, now: now)
        effects.append(.write(webSocket, configuration.openPacket(sessionID: id, upgrades: [])))
    }

    private init(
        id: String,
        configuration: EngineConfiguration,
        transport: Transport,
        forcesBase64: Bool,
        now: Instant
    ) {
        self.id = id
        self.configuration = configuration
        self.forcesBase64 = forcesBase64
        self.transport = transport
        heartbeat = .pingDue(now.adding(configuration.pingInterval))
    }

    /// Takes in what happened. Deadlines that have passed come first.
    public mutating func apply(_ input: EngineInput, now: Instant, into effects: inout [EngineEffect]) {
        advance(to: now, into: &effects)
        switch input {
        case .poll(let request): receivePoll(request, now: now, into: &effects)
        case .postBegan(let request, let isBinary): beginPost(request, isBinary: isBinary, into: &effects)
        case .postReceived(let request, let body): receivePost(request, body: body, now: now, into: &effects)
        case .postTooLarge(let request): refuseLargePost(request, into: &effects)
        case .foreignRequest(let request, let isPolling):
            answerForeign(request, isPolling: isPolling, into: &effects)
        case .requestAborted(let request): abortRequest(request, into: &effects)
        case .webSocketJoined(let webSocket): join(webSocket, now: now, into: &effects)
        case .webSocketReceived(let webSocket, let message):
            receive(message, on: webSocket, now: now, into: &effects)
        case .webSocketWritable(let webSocket, let writable):
            if transport == .webSocket(webSocket) { isWritable = writable }
        case .webSocketClosed(let webSocket, let reason): leave(webSocket, reason: reason, into: &effects)
        case .send(let message): send(message, into: &effects)
        case .backlogged(let backlogged): setBacklogged(backlogged, into: &effects)
        case .close(let reason): close(reason, now: now, into: &effects)
        }
    }

    /// Bytes of memory that a waiting packet takes beside its text.
    private static let packetOverhead = 128

    /// Queues a message, or cuts a client that leaves too much waiting. A message of any size may be the first to wait.
    private mutating func send(_ message: EngineMessage, into effects: inout [EngineEffect]) {
        guard phase == .open else { return }
        if outbound.count >= configuration.maximumOutboundPackets
            || outboundByteCount > configuration.maximumOutboundBytes
        {
            fail(.slowReader, into: &effects)
        } else {
            enqueue(EngineFrame(message))
        }
    }

    mutating func enqueue(_ frame: EngineFrame) {
        outbound.append(frame)
        outboundByteCount += frame.byteCount + Self.packetOverhead
    }

    private mutating func setBacklogged(_ backlogged: Bool, into effects: inout [EngineEffect]) {
        guard backlogged != isBacklogged else { return }
        isBacklogged = backlogged
        if case .webSocket(let webSocket) = transport, phase == .open {
            effects.append(.read(webSocket, !backlogged))
        }
    }

    /// Sends what has collected, as far as the client takes it, and acknowledges a body that the application has taken.
    public mutating func flush(into effects: inout [EngineEffect]) {
        if let post = pendingPost, post.isReceived, !isBacklogged {
            pendingPost = nil
            effects.append(.answer(post.id, .accepted))
        }
        guard phase == .open, !outbound.isEmpty else { return }
        switch transport {
        case .polling:
            guard let poll = pendingPoll else { return }
            pendingPoll = nil
            effects.append(.answer(poll, .payload(takeOutboundPayload())))
        case .webSocket(let webSocket):
            guard isWritable else { return }
            writeOutbound(to: webSocket, into: &effects)
        }
    }

    mutating func writeOutbound(to webSocket: EngineWebSocketID, into effects: inout [EngineEffect]) {
        for frame in outbound {
            effects.append(.write(webSocket, forcesBase64 ? .text(frame.asText) : frame))
        }
        dropOutbound()
    }

    /// What waits, as far as one answer may carry it.
    mutating func takeOutboundPayload() -> String {
        let taken = outbound.prefix(packetCountOfNextPoll)
        let payload = PollingPayload.encode(taken)
        if taken.count == outbound.count {
            dropOutbound()
        } else {
            outboundByteCount -= taken.reduce(0) { $0 + $1.byteCount + Self.packetOverhead }
            outbound.removeFirst(taken.count)
        }
        return payload
    }

    /// The cut does not come between a text and binary messages behind it. They may be its attachments, which have to
    /// follow on the same connection: after this poll it may be another one.
    private var packetCountOfNextPoll: Int {
        let limit = max(configuration.maximumPacketsPerPoll, 1)
        guard outbound.count > limit else { return outbound.count }
        var count = limit
        while count > 0, case .binary = outbound[count] {
            count -= 1
        }
        return count == 0 ? limit : count
    }

    mutating func dropOutbound() {
        outbound = []
        outboundByteCount = 0
    }

    /// Handles a packet on the transport in use.
    mutating func receive(_ packet: EnginePacket, now: Instant, into effects: inout [EngineEffect]) {
        switch packet {
        case .message(let message): effects.append(.received(message))
        case .pong: heartbeat = .pingDue(now.adding(configuration.pingInterval))
        // Only servers ping in this version of the protocol.
        case .ping: fail(.transportError, into: &effects)
        case .close: depart(now: now, into: &effects)
        case .open, .upgrade, .noop: break
        }
    }
}
