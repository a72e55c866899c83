import Logging
import NIOCore
import NetPrimitives
import SocketIO

/// Runs one client's session on one event loop: feeds it what happens, does what it wants, and wakes it in time.
///
/// Decisions are the session's. Nothing here may be called from another thread; `SessionReference` comes over.
final class SessionDriver {
    let gateway: SocketGateway
    let eventLoop: any EventLoop
    let handshake: Handshake
    let mailbox: SessionMailbox
    private var session: ClientSession
    private var random = SystemRandomNumberGenerator()
    private var inputs: [SessionInput] = []
    private var isRunning = false
    private var isHeld = false
    private var wakeUp: (callback: NIOScheduledCallback, at: Instant)?
    var exchanges: [PendingExchange] = []
    var links: [WebSocketLink] = []
    var lanes: [SocketLane] = []
    var backlogEventCount = 0
    var backlogByteCount = 0
    var isBacklogged = false
    var closeReason: DisconnectReason?

    /// A session opened by the poll that `exchange` answers. `start` must follow.
    init(gateway: SocketGateway, eventLoop: any EventLoop, opening: Opening, handshake: Handshake) {
        self.gateway = gateway
        self.eventLoop = eventLoop
        self.handshake = handshake
        mailbox = gateway.mailboxes.mailbox(of: eventLoop)
        let id = gateway.configuration.sessionPrefix + SessionIdentifier.random(using: &random)
        let now = Self.now()
        var effects: [EngineEffect] = []
        let engine: EngineSession
        switch opening {
        case .polling(let exchange, let forcesBase64):
            exchanges = [exchange]
            engine = EngineSession(
                id: id,
                configuration: gateway.configuration.engine,
                polling: exchange.id,
                forcesBase64: forcesBase64,
                now: now,
                into: &effects
            )
        case .webSocket(let link, let forcesBase64):
            links = [link]
            engine = EngineSession(
                id: id,
                configuration: gateway.configuration.engine,
                webSocket: link.id,
                forcesBase64: forcesBase64,
                now: now,
                into: &effects
            )
        }
        let sockets: SocketConfiguration? =
            switch gateway.handler {
            case .sockets: gateway.configuration.sockets
            case .messages: nil
            }
        session = ClientSession(engine: engine, sockets: sockets, now: now)
        openingEffects = effects.map(SessionEffect.engine)
    }

    /// How a session begins.
    enum Opening {
        case polling(PendingExchange, forcesBase64: Bool)
        case webSocket(WebSocketLink, forcesBase64: Bool)
    }

    private var openingEffects: [SessionEffect]

    var id: String { session.id }

    /// Answers the handshake.
    func start() {
        let effects = openingEffects
        openingEffects = []
        run(after: effects)
    }

    /// Takes in what happened. What happens while effects are being carried out waits its turn.
    func submit(_ input: SessionInput) {
        inputs.append(input)
        guard !isRunning, !isHeld else { return }
        run(after: [])
    }

    /// Lets inputs collect until `release`; answers false if they do already.
    func hold() -> Bool {
        guard !isHeld else { return false }
        isHeld = true
        return true
    }

    /// Takes in what has collected.
    func release() {
        isHeld = false
        if !inputs.isEmpty { run(after: []) }
    }

    private func run(after opening: [SessionEffect]) {
        isRunning = true
        perform(opening)
        while true {
            var effects: [SessionEffect] = []
            if inputs.isEmpty {
                session.flush(into: &effects)
                if effects.isEmpty { break }
            } else {
                let batch = inputs
                inputs = []
                let now = Self.now()
                for input in batch {
                    session.apply(input, now: now, using: &random, into: &effects)
                }
            }
            perform(effects)
        }
        isRunning = false
        for link in links {
            link.flush()
        }
        schedule()
    }

    fileprivate func wake() {
        wakeUp = nil
        var effects: [SessionEffect] = []
        session.advance(to: Self.now(), using: &random, into: &effects)
        run(after: effects)
    }

    /// Makes sure that the loop wakes us at the next deadline. A wake-up that has become too early is left as it is: it
    /// finds nothing to do and arranges for the next.
    private func schedule() {
        guard let deadline = session.nextDeadline else {
            wakeUp?.callback.cancel()
            wakeUp = nil
            return
        }
        if let wakeUp, wakeUp.at <= deadline { return }
        wakeUp?.callback.cancel()
        wakeUp = nil
        let handler = SessionWakeUp(driver: NIOLoopBound(self, eventLoop: eventLoop))
        do {
            let time = NIODeadline.uptimeNanoseconds(deadline.nanoseconds)
            wakeUp = (try eventLoop.scheduleCallback(at: time, handler: handler), deadline)
        } catch {
            // The loop is shutting down, and with it every connection on it.
            gateway.logger.debug("no timer for a session", metadata: ["error": "\(error)"])
        }
    }

    private static func now() -> Instant {
        Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds)
    }
}

/// Wakes a session at its deadline.
private struct SessionWakeUp: NIOScheduledCallbackHandler, Sendable {
    let driver: NIOLoopBound<SessionDriver>

    func handleScheduledCallback(eventLoop: some EventLoop) {
        driver.value.wake()
    }
}
