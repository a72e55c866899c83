import NetPrimitives

extension EngineSession {
    /// Ends the session because of what the client did or failed to do.
    mutating func fail(_ reason: DisconnectReason, into effects: inout [EngineEffect]) {
        guard phase == .open else { return }
        dropOutbound()
        if let poll = pendingPoll {
            pendingPoll = nil
            effects.append(.answer(poll, .payload("1")))
        }
        if let post = pendingPost {
            pendingPost = nil
            effects.append(.answer(post.id, .refused))
        }
        if case .webSocket(let webSocket) = transport {
            effects.append(.closeWebSocket(webSocket, reason.closure))
        }
        end(reason, into: &effects)
        forget(into: &effects)
    }

    /// Ends the session because the client said so.
    mutating func depart(now: Instant, into effects: inout [EngineEffect]) {
        guard phase == .open else { return }
        if case .webSocket(let webSocket) = transport {
            effects.append(.closeWebSocket(webSocket, .status(1000)))
            end(.transportClose, into: &effects)
            forget(into: &effects)
        } else if pendingPoll != nil {
            releasePoll(into: &effects)
            end(.transportClose, into: &effects)
            forget(into: &effects)
        } else {
            // Clients send the last POST and the last GET at once, on two connections: the GET may be the slower one.
            end(.transportClose, into: &effects)
            phase = .departed(until: now.adding(configuration.lateAnswerTimeout))
        }
    }

    /// Ends the session because we want it; what is waiting goes out first.
    mutating func close(_ reason: DisconnectReason, now: Instant, into effects: inout [EngineEffect]) {
        guard phase == .open else { return }
        switch transport {
        case .webSocket(let webSocket):
            writeOutbound(to: webSocket, into: &effects)
            effects.append(.closeWebSocket(webSocket, reason.closure))
            end(reason, into: &effects)
            forget(into: &effects)
        case .polling:
            let waiting = outbound + [.text("1")]
            let poll = pendingPoll
            pendingPoll = nil
            end(reason, into: &effects)
            waiting.forEach { enqueue($0) }
            if let poll {
                effects.append(.answer(poll, .payload(takeOutboundPayload())))
            }
            if outbound.isEmpty {
                forget(into: &effects)
            } else {
                phase = .closing(until: now.adding(configuration.closeTimeout))
            }
        }
    }

    /// Tells the application and lets go of everything; the caller decides what the session is still good for.
    mutating func end(_ reason: DisconnectReason, into effects: inout [EngineEffect]) {
        dismissCandidate(into: &effects)
        if pendingPost?.isReceived == false, let post = pendingPost {
            pendingPost = nil
            effects.append(.answer(post.id, .refused))
        }
        dropOutbound()
        isBacklogged = false
        phase = .closed
        effects.append(.closed(reason))
    }

    mutating func forget(into effects: inout [EngineEffect]) {
        phase = .closed
        dropOutbound()
        effects.append(.forget)
    }
}

extension DisconnectReason {
    /// How a WebSocket ends for this reason.
    fileprivate var closure: WebSocketClosure {
        switch self {
        case .slowReader: .abort
        case .serverShuttingDown: .status(1001)
        case .transportError, .parseError: .status(1002)
        case .backlogExceeded: .status(1008)
        case .clientNamespaceDisconnect, .serverNamespaceDisconnect, .transportClose, .pingTimeout,
            .forcedServerClose, .connectTimeout:
            .status(1000)
        }
    }
}
