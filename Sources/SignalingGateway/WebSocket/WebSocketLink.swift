import NIOCore
import SocketIO

/// A WebSocket as its session sees it, possibly from another event loop.
struct WebSocketLink: Sendable {
    let id: EngineWebSocketID
    private let handler: NIOLoopBound<WebSocketHandler>

    /// To be made on the connection's event loop.
    init(_ handler: WebSocketHandler, eventLoop: any EventLoop) {
        id = handler.id
        self.handler = NIOLoopBound(handler, eventLoop: eventLoop)
    }

    /// Sends a frame with the next flush.
    func write(_ frame: EngineFrame) {
        perform { $0.write(frame) }
    }

    /// Sends what was written.
    func flush() {
        perform { $0.flush() }
    }

    /// Reads on, or leaves what comes in the kernel's buffer.
    func setReading(_ isReading: Bool) {
        perform { $0.setReading(isReading) }
    }

    /// Closes the WebSocket after what was written. It says nothing to the session any more.
    func close(_ closure: WebSocketClosure) {
        perform { $0.close(closure) }
    }

    private func perform(_ body: @escaping @Sendable (WebSocketHandler) -> Void) {
        if handler.eventLoop.inEventLoop {
            body(handler.value)
        } else {
            handler.eventLoop.execute { body(handler.value) }
        }
    }
}
