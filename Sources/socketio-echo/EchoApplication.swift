import SignalingGateway
import SocketIO

/// Lets everybody in and says what it heard.
struct EchoApplication: SocketApplication {
    var namespaces: Set<String> { ["/", "/custom"] }

    private let payloads = ConnectPayloads()

    func connect(_ request: ConnectRequest, socket: SocketHandle) async -> ConnectDecision {
        payloads.set(request.auth ?? [:], for: socket)
        return .accept
    }

    func accepted(_ socket: SocketHandle) async {
        socket.emit("auth", [payloads.take(for: socket) ?? [:]])
    }

    func receive(_ event: SocketEvent, from socket: SocketHandle) async -> SocketReply? {
        guard socket.namespace == "/" else { return nil }
        switch event.name {
        case "message":
            socket.emit("message-back", event.arguments, attachments: event.attachments)
            return nil
        case "message-with-ack":
            return SocketReply(event.arguments, attachments: event.attachments)
        default:
            return nil
        }
    }

    func disconnected(_ socket: SocketHandle, reason: DisconnectReason) async {}
}
