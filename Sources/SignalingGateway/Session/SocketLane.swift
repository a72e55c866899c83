import SocketIO

/// What the application has yet to hear about one socket. It hears one thing at a time, in order.
final class SocketLane {
    enum Job: Sendable {
        case connect(ConnectRequest)
        case accepted
        case event(SocketEvent, acknowledgementID: UInt64?)
        case disconnected(DisconnectReason)
    }

    /// What came of a job.
    enum Outcome: Sendable {
        case decided(ConnectDecision)
        case answered(SocketReply?, acknowledgementID: UInt64?)
        case told
        case finished
    }

    let handle: SocketHandle
    private var jobs: [Job] = []
    private(set) var isRunning = false
    var isAccepted = false

    init(handle: SocketHandle) {
        self.handle = handle
    }

    func append(_ job: Job) {
        jobs.append(job)
    }

    /// The next job, which is then running; nil if there is none or one is running already.
    func begin() -> Job? {
        guard !isRunning, !jobs.isEmpty else { return nil }
        isRunning = true
        return jobs.removeFirst()
    }

    func end() {
        isRunning = false
    }
}

extension SocketLane.Job {
    /// Tells the application.
    func perform(_ application: any SocketApplication, _ socket: SocketHandle) async -> SocketLane.Outcome {
        switch self {
        case .connect(let request):
            return .decided(await application.connect(request, socket: socket))
        case .accepted:
            await application.accepted(socket)
            return .told
        case .event(let event, let id):
            return .answered(await application.receive(event, from: socket), acknowledgementID: id)
        case .disconnected(let reason):
            await application.disconnected(socket, reason: reason)
            return .finished
        }
    }

    /// What an event that waits costs.
    var byteCount: Int {
        guard case .event(let event, _) = self else { return 0 }
        return event.arguments.reduce(0) { $0 + $1.byteCount } + event.attachments.reduce(0) { $0 + $1.count }
    }
}
