import NetPrimitives

@testable import SocketIO

/// A client's session under a clock that the test turns, with everything that it wanted done.
struct SessionHarness {
    static let requestBase: UInt64 = 100
    private(set) var session: ClientSession
    private(set) var effects: [SessionEffect] = []
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private var random = SeededGenerator(seed: 7)
    private var requestCount: UInt64 = 0
    let webSocket = EngineWebSocketID(rawValue: 1)

    enum Opening { case polling, webSocket }

    /// With the times of the official suites: a ping each 300 ms, 200 ms to answer, 1 s to enter.
    init(_ opening: Opening, sockets: Bool = false, configure: (inout EngineConfiguration) -> Void = { _ in }) {
        var configuration = EngineConfiguration()
        configuration.pingInterval = .milliseconds(300)
        configuration.pingTimeout = .milliseconds(200)
        configure(&configuration)
        var socketConfiguration = SocketConfiguration()
        socketConfiguration.namespaces = ["/", "/custom"]
        socketConfiguration.connectTimeout = .seconds(1)
        var engineEffects: [EngineEffect] = []
        let engine =
            switch opening {
            case .polling:
                EngineSession(
                    id: "engine",
                    configuration: configuration,
                    polling: EngineRequestID(rawValue: 0),
                    forcesBase64: false,
                    now: now,
                    into: &engineEffects
                )
            case .webSocket:
                EngineSession(
                    id: "engine",
                    configuration: configuration,
                    webSocket: webSocket,
                    forcesBase64: false,
                    now: now,
                    into: &engineEffects
                )
            }
        session = ClientSession(engine: engine, sockets: sockets ? socketConfiguration : nil, now: now)
        effects = engineEffects.map(SessionEffect.engine)
    }

    /// What the session has wanted since the last call.
    mutating func take() -> [SessionEffect] {
        defer { effects = [] }
        return effects
    }

    mutating func apply(_ inputs: EngineInput...) {
        for input in inputs {
            session.apply(.engine(input), now: now, using: &random, into: &effects)
        }
        session.flush(into: &effects)
    }

    mutating func command(_ command: SocketCommand) {
        session.apply(.socket(command), now: now, using: &random, into: &effects)
        session.flush(into: &effects)
    }

    /// A text frame from the client.
    mutating func say(_ text: String) {
        apply(.webSocketReceived(webSocket, .text(text)))
    }

    /// Turns the clock, stopping at each deadline on the way as a shell does.
    mutating func wait(milliseconds: UInt64) {
        let end = Instant(nanoseconds: now.nanoseconds + milliseconds * 1_000_000)
        while let deadline = session.nextDeadline, deadline <= end {
            now = max(deadline, now)
            session.advance(to: now, using: &random, into: &effects)
            session.flush(into: &effects)
        }
        now = end
    }

    /// Turns the clock without anybody looking at it.
    mutating func sleep(milliseconds: UInt64) {
        now = Instant(nanoseconds: now.nanoseconds + milliseconds * 1_000_000)
    }

    mutating func newRequest() -> EngineRequestID {
        requestCount += 1
        return EngineRequestID(rawValue: Self.requestBase + requestCount)
    }

    mutating func poll() -> EngineRequestID {
        let request = newRequest()
        apply(.poll(request))
        return request
    }

    mutating func post(_ body: String?) -> EngineRequestID {
        let request = newRequest()
        apply(.postBegan(request, isBinary: false), .postReceived(request, body: body))
        return request
    }

    /// The id of the socket that the last `connect` effect names.
    mutating func connectedSocket(in effects: [SessionEffect]) -> String {
        for case .connect(let socket, _, _) in effects { return socket }
        return ""
    }

    /// Enters the main namespace and forgets what that took.
    mutating func enter(_ packet: String = "40") -> String {
        say(packet)
        let socket = connectedSocket(in: take())
        command(.accept(socket))
        _ = take()
        return socket
    }
}

extension [SessionEffect] {
    /// The text frames among the effects.
    var texts: [String] {
        compactMap { effect in
            if case .engine(.write(_, .text(let text))) = effect { text } else { nil }
        }
    }

    /// All frames among the effects.
    var frames: [EngineFrame] {
        compactMap { effect in
            if case .engine(.write(_, let frame)) = effect { frame } else { nil }
        }
    }

    /// Which requests the effects answer.
    var answered: [EngineRequestID] {
        compactMap { effect in
            if case .engine(.answer(let request, _)) = effect { request } else { nil }
        }
    }

    func answer(to request: EngineRequestID) -> EngineAnswer? {
        for case .engine(.answer(request, let answer)) in self { return answer }
        return nil
    }

    var closeReason: DisconnectReason? {
        for case .engine(.closed(let reason)) in self { return reason }
        return nil
    }

    var isForgotten: Bool { contains(.engine(.forget)) }

    /// The messages that reached a server without Socket.IO.
    var messages: [EngineMessage] {
        compactMap { effect in
            if case .engine(.received(let message)) = effect { message } else { nil }
        }
    }
}
