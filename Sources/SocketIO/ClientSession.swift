public import NetPrimitives

/// What can happen to a client's session: on the wire, or by the application's wish.
public enum SessionInput: Hashable, Sendable {
    case engine(EngineInput)
    case socket(SocketCommand)
}

/// What a client's session wants done, or the application to hear. Order matters.
public enum SessionEffect: Hashable, Sendable {
    /// Something to do on the wire; never `received`, which is consumed here unless there is no Socket.IO.
    case engine(EngineEffect)
    /// A client wants to enter a namespace.
    case connect(socket: String, namespace: String, auth: JSONText?)
    /// A client has been told that it is in.
    case accepted(socket: String)
    /// A client sent an event.
    case event(socket: String, SocketEvent, acknowledgementID: UInt64?)
    /// A socket that had been accepted is gone.
    case disconnected(socket: String, DisconnectReason)
}

/// A client: its Engine.IO connection and, unless the server is a bare Engine.IO one, the Socket.IO session on it.
public struct ClientSession: Sendable {
    private var engine: EngineSession
    private var sockets: SocketSession?

    /// The Engine.IO session's id.
    public var id: String { engine.id }

    /// A session on a connection just made; `sockets` is nil for a bare Engine.IO server.
    public init(engine: EngineSession, sockets: SocketConfiguration?, now: Instant) {
        self.engine = engine
        self.sockets = sockets.map { SocketSession(configuration: $0, now: now) }
    }

    /// When `advance` has something to do next; nil if never.
    public var nextDeadline: Instant? {
        switch (engine.nextDeadline, sockets?.connectDeadline) {
        case (let first?, let second?): min(first, second)
        case (let first, let second): first ?? second
        }
    }

    /// Takes in what happened.
    public mutating func apply(
        _ input: SessionInput,
        now: Instant,
        using random: inout some RandomNumberGenerator,
        into effects: inout [SessionEffect]
    ) {
        switch input {
        case .engine(let input):
            var engineEffects: [EngineEffect] = []
            engine.apply(input, now: now, into: &engineEffects)
            settle(engineEffects, now: now, using: &random, into: &effects)
        case .socket(let command):
            var socketEffects: [SocketEffect] = []
            sockets?.apply(command, into: &socketEffects)
            settle(socketEffects, now: now, using: &random, into: &effects)
        }
    }

    /// Does what is due at `now`.
    public mutating func advance(
        to now: Instant,
        using random: inout some RandomNumberGenerator,
        into effects: inout [SessionEffect]
    ) {
        var engineEffects: [EngineEffect] = []
        engine.advance(to: now, into: &engineEffects)
        settle(engineEffects, now: now, using: &random, into: &effects)
        var socketEffects: [SocketEffect] = []
        sockets?.advance(to: now, into: &socketEffects)
        settle(socketEffects, now: now, using: &random, into: &effects)
    }

    /// Sends what has collected; to be called once after each batch of inputs.
    public mutating func flush(into effects: inout [SessionEffect]) {
        var engineEffects: [EngineEffect] = []
        engine.flush(into: &engineEffects)
        effects.append(contentsOf: engineEffects.lazy.map(SessionEffect.engine))
    }

    /// Hands what the connection received to the sockets, and the rest on. A message can end the connection, which then
    /// ends the sockets: that goes round at most once, since a session ends once.
    private mutating func settle(
        _ engineEffects: [EngineEffect],
        now: Instant,
        using random: inout some RandomNumberGenerator,
        into effects: inout [SessionEffect]
    ) {
        for effect in engineEffects {
            var socketEffects: [SocketEffect] = []
            switch effect {
            case .received(let message) where sockets != nil:
                sockets?.receive(message, using: &random, into: &socketEffects)
            case .closed(let reason):
                sockets?.end(reason, into: &socketEffects)
                effects.append(.engine(effect))
            case .received, .answer, .write, .read, .closeWebSocket, .forget:
                effects.append(.engine(effect))
            }
            settle(socketEffects, now: now, using: &random, into: &effects)
        }
    }

    private mutating func settle(
        _ socketEffects: [SocketEffect],
        now: Instant,
        using random: inout some RandomNumberGenerator,
        into effects: inout [SessionEffect]
    ) {
        for effect in socketEffects {
            switch effect {
            case .send(let message):
                apply(.engine(.send(message)), now: now, using: &random, into: &effects)
            case .close(let reason):
                apply(.engine(.close(reason)), now: now, using: &random, into: &effects)
            case .connect(let socket, let namespace, let auth):
                effects.append(.connect(socket: socket, namespace: namespace, auth: auth))
            case .accepted(let socket):
                effects.append(.accepted(socket: socket))
            case .event(let socket, let event, let id):
                effects.append(.event(socket: socket, event, acknowledgementID: id))
            case .disconnected(let socket, let reason):
                effects.append(.disconnected(socket: socket, reason))
            }
        }
    }
}
