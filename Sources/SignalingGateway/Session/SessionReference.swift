import NIOCore
import SocketIO

/// Reaches a session from any thread. What one thread submits arrives in order.
struct SessionReference: Sendable {
    private let driver: NIOLoopBound<SessionDriver>

    /// To be made on the driver's event loop.
    init(_ driver: SessionDriver) {
        self.driver = NIOLoopBound(driver, eventLoop: driver.eventLoop)
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
        driver.eventLoop.execute { body(driver.value) }
    }

    /// Tells the session what happened.
    func submit(_ input: SessionInput) {
        perform { $0.submit(input) }
    }
}

extension SessionReference: SocketOutlet {
    // Always by way of the queue, never at once: a caller that moved onto the event loop must not overtake itself.
    func emit(_ event: String, arguments: [JSONText], attachments: [[UInt8]], to socket: SocketHandle) {
        let id = socket.id
        performLater {
            $0.submit(.socket(.emit(id, event: event, arguments: arguments, attachments: attachments)))
        }
    }

    func disconnect(_ socket: SocketHandle, closeTransport: Bool) {
        let id = socket.id
        performLater { $0.submit(.socket(.disconnect(id, closeTransport: closeTransport))) }
    }
}
