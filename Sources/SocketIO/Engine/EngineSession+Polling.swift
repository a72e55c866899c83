import NetPrimitives

extension EngineSession {
    mutating func receivePoll(_ request: EngineRequestID, now: Instant, into effects: inout [EngineEffect]) {
        switch phase {
        case .closed:
            effects.append(.answer(request, .error(.unknownSession)))
        case .departed:
            effects.append(.answer(request, .payload("6")))
            forget(into: &effects)
        case .closing:
            effects.append(.answer(request, .payload(takeOutboundPayload())))
            if outbound.isEmpty { forget(into: &effects) }
        case .open:
            guard transport == .polling else {
                effects.append(.answer(request, .error(.badRequest)))
                return
            }
            guard pendingPoll == nil else {
                effects.append(.answer(request, .refused))
                fail(.transportError, into: &effects)
                return
            }
            pendingPoll = request
            if candidate?.isProbed == true {
                candidate?.releaseAt = now.adding(configuration.releaseInterval)
            }
        }
    }

    mutating func beginPost(_ request: EngineRequestID, isBinary: Bool, into effects: inout [EngineEffect]) {
        switch phase {
        case .closed, .departed:
            effects.append(.answer(request, .error(.unknownSession)))
        case .closing:
            effects.append(.answer(request, .accepted))
        case .open:
            guard transport == .polling else {
                effects.append(.answer(request, .error(.badRequest)))
                return
            }
            guard pendingPost == nil, !isBinary else {
                effects.append(.answer(request, .refused))
                fail(.transportError, into: &effects)
                return
            }
            pendingPost = PendingPost(id: request)
        }
    }

    mutating func receivePost(
        _ request: EngineRequestID,
        body: String?,
        now: Instant,
        into effects: inout [EngineEffect]
    ) {
        guard pendingPost?.id == request, pendingPost?.isReceived == false else { return }
        pendingPost?.isReceived = true
        guard let body else {
            fail(.parseError, into: &effects)
            return
        }
        var offset: Int? = 0
        while phase == .open, let text = PollingPayload.nextPacket(of: body, from: &offset) {
            guard let packet = EnginePacket(text: text) else {
                fail(.parseError, into: &effects)
                return
            }
            receive(packet, now: now, into: &effects)
        }
    }

    mutating func refuseLargePost(_ request: EngineRequestID, into effects: inout [EngineEffect]) {
        guard pendingPost?.id == request else { return }
        pendingPost = nil
        effects.append(.answer(request, .tooLarge))
    }

    func answerForeign(_ request: EngineRequestID, isPolling: Bool, into effects: inout [EngineEffect]) {
        let isOverPolling = transport == .polling
        switch phase {
        case .closed, .departed: effects.append(.answer(request, .error(.unknownSession)))
        case .open, .closing:
            effects.append(.answer(request, isPolling == isOverPolling ? .unsupportedMethod : .error(.badRequest)))
        }
    }

    /// A client that breaks off a request may have lost packets for good, so the session ends.
    mutating func abortRequest(_ request: EngineRequestID, into effects: inout [EngineEffect]) {
        if pendingPoll == request {
            pendingPoll = nil
        } else if pendingPost?.id == request {
            pendingPost = nil
        } else {
            return
        }
        fail(.transportError, into: &effects)
    }
}
