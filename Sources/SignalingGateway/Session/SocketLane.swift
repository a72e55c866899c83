import SocketIO

/// What the application has yet to hear about one socket. It hears one thing at a time, in order; events that it takes
/// without waiting may be under way together.
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
    /// Whether the first of `jobs` is an event that the application would not take without waiting.
    private var isFirstLeft = false
    private var isRunning = false
    private var begunCount = 0
    var isAccepted = false

    init(handle: SocketHandle) {
        self.handle = handle
    }

    func append(_ job: Job) {
        jobs.append(job)
    }

    /// The next event to be offered to the application; nil if something else comes first.
    func nextToBegin() -> (SocketEvent, BegunEvent)? {
        guard !isRunning, !isFirstLeft, case .event(let event, let id)? = jobs.first else { return nil }
        return (event, BegunEvent(socket: handle.id, acknowledgementID: id, byteCount: event.byteCount))
    }

    /// The application has taken the event offered, or left it.
    func offered(isTaken: Bool) {
        if isTaken {
            jobs.removeFirst()
            begunCount += 1
        } else {
            isFirstLeft = true
        }
    }

    /// An event that was begun is answered.
    func answered() {
        begunCount -= 1
    }

    /// The next job to be waited for, which is then running; nil if there is none or another one comes before.
    func run() -> Job? {
        guard !isRunning, begunCount == 0, !jobs.isEmpty else { return nil }
        isRunning = true
        isFirstLeft = false
        return jobs.removeFirst()
    }

    func end() {
        isRunning = false
    }
}

/// What has to be known of an event when it is answered.
struct BegunEvent: Sendable {
    let socket: String
    let acknowledgementID: UInt64?
    let byteCount: Int
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
        return event.byteCount
    }
}

extension SocketEvent {
    /// Its arguments and attachments.
    var byteCount: Int {
        arguments.reduce(0) { $0 + $1.byteCount } + attachments.reduce(0) { $0 + $1.count }
    }
}
