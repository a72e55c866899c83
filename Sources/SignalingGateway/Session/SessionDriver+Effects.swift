import Logging
import SocketIO

extension SessionDriver {
    /// Does what the session wants, in order.
    func perform(_ effects: [SessionEffect]) {
        for effect in effects {
            switch effect {
            case .engine(let effect): perform(effect)
            case .connect(let socket, let namespace, let auth):
                let handle = SocketHandle(id: socket, namespace: namespace, outlet: SessionReference(self))
                let lane = SocketLane(handle: handle)
                lanes.append(lane)
                gateway.registry.laneOpened()
                let request = ConnectRequest(namespace: namespace, auth: auth, handshake: handshake)
                enqueue(.connect(request), on: lane)
            case .accepted(let socket):
                guard let lane = lane(of: socket) else { continue }
                lane.isAccepted = true
                enqueue(.accepted, on: lane)
            case .event(let socket, let event, let acknowledgementID):
                guard let lane = lane(of: socket) else { continue }
                enqueue(.event(event, acknowledgementID: acknowledgementID), on: lane)
            case .disconnected(let socket, let reason):
                guard let lane = lane(of: socket) else { continue }
                enqueue(.disconnected(reason), on: lane)
            }
        }
    }

    private func perform(_ effect: EngineEffect) {
        switch effect {
        case .answer(let request, let answer):
            guard let index = exchanges.firstIndex(where: { $0.id == request }) else { return }
            exchanges.remove(at: index).answer(answer)
        case .write(let webSocket, let frame):
            links.first { $0.id == webSocket }?.write(frame)
        case .read(let webSocket, let isReading):
            links.first { $0.id == webSocket }?.setReading(isReading)
        case .closeWebSocket(let webSocket, let closure):
            guard let index = links.firstIndex(where: { $0.id == webSocket }) else { return }
            links.remove(at: index).close(closure)
        case .received(let message):
            guard case .messages(let respond) = gateway.handler else { return }
            for answer in respond(message) {
                submit(.engine(.send(answer)))
            }
        case .closed(let reason):
            closeReason = reason
            gateway.logger.debug("session closed", metadata: ["reason": "\(reason.rawValue)"])
        case .forget:
            gateway.registry.remove(id)
        }
    }

    private func lane(of socket: String) -> SocketLane? {
        lanes.first { $0.handle.id == socket }
    }

    private func enqueue(_ job: SocketLane.Job, on lane: SocketLane) {
        if case .event = job {
            backlogEventCount += 1
            backlogByteCount += job.byteCount
            if backlogEventCount > gateway.configuration.maximumBacklogEvents {
                submit(.engine(.close(.backlogExceeded)))
            }
            updateBacklog()
        }
        lane.append(job)
        pump(lane)
    }

    /// Lets the application have what it can have now.
    private func pump(_ lane: SocketLane) {
        guard case .sockets(let application) = gateway.handler else { return }
        let handle = lane.handle
        let reference = SessionReference(self)
        while let (event, begun) = lane.nextToBegin() {
            lane.offered(isTaken: application.begin(event, from: handle) { reference.answer(begun, $0) })
        }
        guard let job = lane.run() else { return }
        Task {
            let outcome = await job.perform(application, handle)
            let byteCount = job.byteCount
            reference.performLater { $0.finish(outcome, byteCount: byteCount, socket: handle.id) }
            if case .event(let event, _) = job { application.answered(event, on: handle) }
        }
    }

    /// An event that was begun is answered.
    func answered(_ event: BegunEvent, _ reply: SocketReply?) {
        guard let lane = lane(of: event.socket) else { return }
        lane.answered()
        settle(reply, event.acknowledgementID, byteCount: event.byteCount, socket: event.socket)
        pump(lane)
    }

    private func settle(_ reply: SocketReply?, _ acknowledgementID: UInt64?, byteCount: Int, socket: String) {
        backlogEventCount -= 1
        backlogByteCount -= byteCount
        if let reply, let acknowledgementID {
            submit(.socket(.acknowledge(socket, id: acknowledgementID, reply)))
        }
        updateBacklog()
    }

    private func finish(_ outcome: SocketLane.Outcome, byteCount: Int, socket: String) {
        guard let lane = lane(of: socket) else { return }
        lane.end()
        switch outcome {
        case .decided(let decision):
            submit(.socket(decision.command(for: socket)))
            if decision != .accept {
                close(lane)
            } else if !lane.isAccepted {
                // Gone while the application was thinking: it believes that somebody came in.
                enqueue(.disconnected(closeReason ?? .transportClose), on: lane)
            }
        case .answered(let reply, let acknowledgementID):
            settle(reply, acknowledgementID, byteCount: byteCount, socket: socket)
        case .told:
            break
        case .finished:
            close(lane)
        }
        pump(lane)
    }

    private func close(_ lane: SocketLane) {
        lanes.removeAll { $0 === lane }
        gateway.registry.laneClosed()
    }

    /// Asks the session to stop reading when the application falls behind, and to go on when it has caught up by half.
    private func updateBacklog() {
        let limits = gateway.configuration
        let isOver = backlogEventCount > limits.backlogEvents || backlogByteCount > limits.backlogBytes
        let isUnder = backlogEventCount <= limits.backlogEvents / 2 && backlogByteCount <= limits.backlogBytes / 2
        if !isBacklogged, isOver {
            isBacklogged = true
            submit(.engine(.backlogged(true)))
        } else if isBacklogged, isUnder {
            isBacklogged = false
            submit(.engine(.backlogged(false)))
        }
    }
}

extension ConnectDecision {
    fileprivate func command(for socket: String) -> SocketCommand {
        switch self {
        case .accept: .accept(socket)
        case .refuse(let message, let data): .refuse(socket, message: message, data: data)
        case .unavailable: .unavailable(socket)
        }
    }
}
