import Locking
import SignalingGateway
import SocketIO

/// An application that does what a test says and writes down what it hears.
final class ScriptedApplication: SocketApplication {
    typealias Receive = @Sendable (SocketEvent, SocketHandle) async -> SocketReply?
    typealias Begin = @Sendable (SocketEvent, @escaping @Sendable (SocketReply?) -> Void) -> Bool

    private let decision: ConnectDecision
    private let onConnect: @Sendable () async -> Void
    private let onAccepted: @Sendable (SocketHandle) async -> Void
    private let onBegin: Begin
    private let onReceive: Receive
    private let entries = Locked<[String]>([])
    private let requests = Locked<[ConnectRequest]>([])

    init(
        decision: ConnectDecision = .accept,
        onConnect: @escaping @Sendable () async -> Void = {},
        onAccepted: @escaping @Sendable (SocketHandle) async -> Void = { _ in },
        onBegin: @escaping Begin = { _, _ in false },
        onReceive: @escaping Receive = { _, _ in nil }
    ) {
        self.decision = decision
        self.onConnect = onConnect
        self.onAccepted = onAccepted
        self.onBegin = onBegin
        self.onReceive = onReceive
    }

    /// What was heard, in order.
    var log: [String] { entries.withLock { $0 } }

    /// The requests to enter, in order.
    var connects: [ConnectRequest] { requests.withLock { $0 } }

    private func note(_ entry: String) {
        entries.withLock { $0.append(entry) }
    }

    func connect(_ request: ConnectRequest, socket: SocketHandle) async -> ConnectDecision {
        requests.withLock { $0.append(request) }
        note("connect \(request.namespace) \(request.auth?.text ?? "nothing")")
        await onConnect()
        return decision
    }

    func accepted(_ socket: SocketHandle) async {
        note("accepted")
        await onAccepted(socket)
    }

    func begin(
        _ event: SocketEvent,
        from socket: SocketHandle,
        reply: @escaping @Sendable (SocketReply?) -> Void
    ) -> Bool {
        guard onBegin(event, reply) else { return false }
        note("take \(event.name)")
        return true
    }

    func receive(_ event: SocketEvent, from socket: SocketHandle) async -> SocketReply? {
        note("begin \(event.name)")
        let reply = await onReceive(event, socket)
        note("end \(event.name)")
        return reply
    }

    func answered(_ event: SocketEvent, on socket: SocketHandle) {
        socket.emit("after", [.string(event.name)])
    }

    func disconnected(_ socket: SocketHandle, reason: DisconnectReason) async {
        note("disconnected \(reason.rawValue)")
    }
}
