import Locking
import SignalingGateway
import SocketIO

/// What clients sent along with CONNECT, from the decision to let them in until they are told.
final class ConnectPayloads: Sendable {
    private let payloads = Locked<[SocketHandle: JSONText]>([:])

    func set(_ payload: JSONText, for socket: SocketHandle) {
        payloads.withLock { $0[socket] = payload }
    }

    func take(for socket: SocketHandle) -> JSONText? {
        payloads.withLock { $0.removeValue(forKey: socket) }
    }
}
