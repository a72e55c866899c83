public import NetPrimitives
internal import STUNCore
internal import STUNServer

extension TURNShard {
    /// Processes what `route` called control: requests, and messages that are to be ignored.
    ///
    /// `unixSeconds` is the time of day, for nonces and time-limited credentials; everything else goes by `now`. The shell
    /// carries the effects out before it comes with the next datagram.
    public mutating func handle(
        _ bytes: RawSpan,
        from flow: Flow,
        now: Instant,
        unixSeconds: UInt64,
        into effects: inout EffectQueue
    ) {
        precondition(effects.hasRoom, "the shell empties the queue before every call")
        let message: MessageView
        do throws(MessageFailure) {
            message = try MessageView(parsing: bytes)
        } catch {
            return effects.append(.report(.dropped(.malformedMessage)))
        }
        let gate = RequestGate.check(message, known: Self.knownAttributes)
        if case .drop(let reason) = gate { return effects.append(.report(.dropped(DropReason(reason)))) }
        // Indications end here: Send is decided by `route`, and a Binding indication only keeps a NAT's door open.
        guard message.type.messageClass == .request else {
            if message.type.method != .binding { effects.append(.report(.dropped(.unexpectedMessage))) }
            return
        }
        var unknown: [AttributeType] = []
        if case .unknownAttributes(let types) = gate { unknown = types }

        switch message.type.method {
        case .binding:
            answerBinding(message, unknown, from: flow, now: now, into: &effects)
        case .allocate, .refresh, .createPermission, .channelBind:
            var origin = RequestOrigin(message, from: flow)
            do throws(Refusal) {
                try serve(message, unknown, &origin, now: now, unixSeconds: unixSeconds, into: &effects)
            } catch {
                effects.refuse(error, origin)
            }
        default:
            effects.append(.report(.dropped(.unexpectedMessage)))
        }
    }

    /// A Binding needs no credential: a success is the address that it came from, and nothing bounds those but their size
    /// (RFC 8489 §3 has clients ask at any time); a refusal is one of the answers that `TURN_UNAUTH_REPLIES` bounds.
    private mutating func answerBinding(
        _ message: MessageView,
        _ unknown: [AttributeType],
        from flow: Flow,
        now: Instant,
        into effects: inout EffectQueue
    ) {
        guard unknown.isEmpty else {
            guard mayRefuse(flow, now: now) else { return effects.append(.report(.dropped(.replyBudget))) }
            return effects.refuse(Refusal(unknownAttributes: unknown), RequestOrigin(message, from: flow))
        }
        if effects.send(Binding.respond(to: message, from: flow.client, in: &effects.messages), to: flow) {
            effects.append(.report(.answered))
        }
    }

    /// Authenticates a TURN request and has it done (RFC 8656 §5).
    private mutating func serve(
        _ message: MessageView,
        _ unknown: [AttributeType],
        _ origin: inout RequestOrigin,
        now: Instant,
        unixSeconds: UInt64,
        into effects: inout EffectQueue
    ) throws(Refusal) {
        let flow = origin.flow
        let current = allocation(of: flow).flatMap { purge($0, now: now, into: &effects) }
        let outcome = authenticator.authenticate(
            message,
            from: flow.client,
            unixSeconds: unixSeconds,
            expiry: origin.method == .allocate && current == nil ? .checked : .ignored,
            keeping: current?.owner
        )
        let user: AuthenticatedUser
        switch outcome {
        case .accepted(let accepted, let seal):
            user = accepted
            origin.seal = seal
        case .refused(let refusal):
            return challenge(message, refusal, flow, now: now, unixSeconds: unixSeconds, into: &effects)
        }
        guard unknown.isEmpty else { throw Refusal(unknownAttributes: unknown) }

        guard origin.method != .allocate else {
            return try allocate(message, origin, by: user, current, now: now, into: &effects)
        }
        guard let current, current.isOpen else { throw Refusal(.allocationMismatch) }
        guard current.owner.isNamed(user.username) else { throw Refusal(.wrongCredentials) }
        try change(message, origin, current, now: now, into: &effects)
    }

    private mutating func change(
        _ message: MessageView,
        _ origin: RequestOrigin,
        _ allocation: Allocation,
        now: Instant,
        into effects: inout EffectQueue
    ) throws(Refusal) {
        switch origin.method {
        case .refresh:
            let seconds = try refresh(message, allocation, now: now, into: &effects)
            effects.answer(origin) { builder in builder.appendLifetime(seconds: seconds) }
        case .createPermission:
            try createPermission(message, allocation, now: now)
            effects.answer(origin)
        case .channelBind:
            try bindChannel(message, allocation, now: now)
            effects.answer(origin)
        default:
            preconditionFailure("handle passes on the methods above alone")
        }
    }

    /// Whether a source that has proved nothing may be refused once more. A client on a stream has shown by its handshake
    /// where it is.
    private mutating func mayRefuse(_ flow: Flow, now: Instant) -> Bool {
        flow.transport != .udp || budget.take(for: flow.client.address, now: now)
    }

    /// Answers 400, 401 or 438 without having seen a proof of the source, so only as often as its budget allows.
    private mutating func challenge(
        _ message: MessageView,
        _ refusal: Authenticator.Refusal,
        _ flow: Flow,
        now: Instant,
        unixSeconds: UInt64,
        into effects: inout EffectQueue
    ) {
        guard mayRefuse(flow, now: now) else { return effects.append(.report(.dropped(.replyBudget))) }
        let range = ReplyWriter.refusal(
            refusal,
            to: message,
            from: flow.client,
            by: authenticator,
            unixSeconds: unixSeconds,
            in: &effects.messages
        )
        if effects.send(range, to: flow) { effects.append(.report(.refused(code: refusal.errorCode.rawValue))) }
    }
}

extension DropReason {
    fileprivate init(_ reason: RequestGate.DropReason) {
        switch reason {
        case .fingerprint: self = .badFingerprint
        case .response: self = .unexpectedMessage
        case .unknownAttribute: self = .unknownAttribute
        }
    }
}
