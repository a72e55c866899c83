import NIOCore
import SocketIO

/// Reaches a session from any thread. What one thread submits arrives in order.
struct SessionReference: Sendable {
    private let driver: NIOLoopBound<SessionDriver>
    private let mailbox: SessionMailbox

    /// To be made on the driver's event loop.
    init(_ driver: SessionDriver) {
        self.driver = NIOLoopBound(driver, eventLoop: driver.eventLoop)
        mailbox = driver.mailbox
    }

    /// Runs `body` on the session's event loop: at once if this is it.
    func perform(_ body: @escaping @Sendable (SessionDriver) -> Void) {
        if driver.eventLoop.inEventLoop {
            body(driver.value)
        } else {
            performLater(body)
        }
    }

    /// Runs `body` on the session's event loop, after what was handed over before.
    func performLater(_ body: @escaping @Sendable (SessionDriver) -> Void) {
        mailbox.post(SessionMailbox.Letter(driver: driver, content: .work(body)))
    }

    /// Hands over the answer to an event that was begun.
    func answer(_ event: BegunEvent, _ reply: SocketReply?) {
        mailbox.post(SessionMailbox.Letter(driver: driver, content: .answer(event, reply)))
    }

    /// Tells the session what happened, after what was handed over before.
    private func submitLater(_ input: SessionInput) {
        mailbox.post(SessionMailbox.Letter(driver: driver, content: .input(input)))
    }

    /// Tells the session what happened.
    func submit(_ input: SessionInput) {
        perform { $0.submit(input) }
    }
}

extension SessionReference: SocketOutlet {
    // Always by way of the mailbox, never at once: a caller that moved onto the event loop must not overtake itself.
    func emit(_ event: String, arguments: [JSONText], attachments: [[UInt8]], to socket: SocketHandle) {
        submitLater(.socket(.emit(socket.id, event: event, arguments: arguments, attachments: attachments)))
    }

    func disconnect(_ socket: SocketHandle, closeTransport: Bool) {
        submitLater(.socket(.disconnect(socket.id, closeTransport: closeTransport)))
    }
}
