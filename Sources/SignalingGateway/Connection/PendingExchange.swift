import NIOCore
import SocketIO

/// An HTTP request that a session will answer, possibly from another event loop than the connection's.
struct PendingExchange: Sendable {
    let id: EngineRequestID
    private let gate: NIOLoopBound<ConnectionGate>

    /// To be made on the connection's event loop.
    init(id: EngineRequestID, gate: ConnectionGate, eventLoop: any EventLoop) {
        self.id = id
        self.gate = NIOLoopBound(gate, eventLoop: eventLoop)
    }

    /// Sends the answer; ignored if the connection is gone.
    func answer(_ answer: EngineAnswer) {
        if gate.eventLoop.inEventLoop {
            gate.value.answer(id, answer)
        } else {
            gate.eventLoop.execute { gate.value.answer(id, answer) }
        }
    }
}
