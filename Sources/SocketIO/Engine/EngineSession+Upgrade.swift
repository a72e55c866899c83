import NetPrimitives

extension EngineSession {
    /// A WebSocket asks to take over. Only one may, and only from polling; any other is closed.
    mutating func join(_ webSocket: EngineWebSocketID, now: Instant, into effects: inout [EngineEffect]) {
        guard phase == .open, transport == .polling, candidate == nil else {
            effects.append(.closeWebSocket(webSocket, .status(1000)))
            return
        }
        candidate = Candidate(id: webSocket, until: now.adding(configuration.upgradeTimeout))
    }

    mutating func receive(
        _ message: EngineMessage,
        on webSocket: EngineWebSocketID,
        now: Instant,
        into effects: inout [EngineEffect]
    ) {
        guard phase == .open else { return }
        if candidate?.id == webSocket {
            receiveProbe(EnginePacket(message), now: now, into: &effects)
        } else if transport == .webSocket(webSocket) {
            guard let packet = EnginePacket(message) else {
                fail(.parseError, into: &effects)
                return
            }
            receive(packet, now: now, into: &effects)
        }
    }

    private mutating func receiveProbe(_ packet: EnginePacket?, now: Instant, into effects: inout [EngineEffect]) {
        guard let current = candidate else { return }
        switch packet {
        case .ping("probe") where !current.isProbed:
            effects.append(.write(current.id, .probeAnswer))
            candidate?.isProbed = true
            candidate?.releaseAt = pendingPoll == nil ? nil : now.adding(configuration.releaseInterval)
        case .upgrade where current.isProbed:
            upgrade(to: current.id, into: &effects)
        default:
            dismissCandidate(into: &effects)
        }
    }

    /// From here on everything travels over the WebSocket, what is waiting first.
    private mutating func upgrade(to webSocket: EngineWebSocketID, into effects: inout [EngineEffect]) {
        candidate = nil
        transport = .webSocket(webSocket)
        isWritable = true
        releasePoll(into: &effects)
        if let post = pendingPost, !post.isReceived {
            pendingPost = nil
            effects.append(.answer(post.id, .error(.badRequest)))
        }
        if isBacklogged {
            effects.append(.read(webSocket, false))
        }
    }

    /// Answers a pending poll with nothing, so that the client gets to act.
    mutating func releasePoll(into effects: inout [EngineEffect]) {
        guard let poll = pendingPoll else { return }
        pendingPoll = nil
        effects.append(.answer(poll, .payload("6")))
    }

    mutating func dismissCandidate(into effects: inout [EngineEffect]) {
        guard let current = candidate else { return }
        candidate = nil
        effects.append(.closeWebSocket(current.id, .status(1000)))
    }

    /// A WebSocket is gone: a candidate is no loss, the transport in use takes the session along.
    mutating func leave(
        _ webSocket: EngineWebSocketID,
        reason: DisconnectReason,
        into effects: inout [EngineEffect]
    ) {
        if candidate?.id == webSocket {
            candidate = nil
        } else if transport == .webSocket(webSocket), phase == .open {
            end(reason, into: &effects)
            forget(into: &effects)
        }
    }
}
