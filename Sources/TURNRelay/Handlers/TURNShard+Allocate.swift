public import NetPrimitives
internal import STUNCore
internal import STUNServer

extension TURNShard {
    /// Checks an Allocate request and asks the shell for its relay socket (RFC 8656 §7.2). The answer follows in
    /// `relayOpened`, when there is something to promise.
    mutating func allocate(
        _ message: MessageView,
        _ origin: RequestOrigin,
        by owner: AuthenticatedUser,
        _ current: Allocation?,
        now: Instant,
        into effects: inout EffectQueue
    ) throws(Refusal) {
        if let current { return try repeatAnswer(origin, by: owner, current, into: &effects) }
        try requireAdmission(owner, from: origin.flow.client, now: now)
        guard let transport = message.requestedTransport else { throw Refusal(.badRequest) }
        guard transport == .udp else { throw Refusal(.unsupportedTransportProtocol) }
        guard message.dontFragment || !message.contains(.dontFragment) else { throw Refusal(.badRequest) }
        let plan = try RelayOpeningPlan.make(message, configuration.relays(at: origin.flow.socket))
        let lifetime = try grantedLifetime(message)
        precondition(flows.allocation(of: origin.flow) == nil, "a 5-tuple has one allocation")
        let inserted = allocations.insert { id in
            var allocation = Allocation(id: id, origin: origin, owner: owner, lifetimeSeconds: lifetime, now: now)
            allocation.answer.addressError = plan.addressError
            return allocation
        }
        guard let allocation = inserted else { throw Refusal(.insufficientCapacity) }
        flows.show(allocation)
        let opening = RelayOpening(origin: origin, wish: plan.first, next: plan.second)
        open(opening, for: allocation, into: &effects)
    }

    /// An Allocate request on a 5-tuple that has an allocation: the same request once more gets the same answer, since
    /// the first may have been lost, and any other is a mismatch.
    private func repeatAnswer(
        _ origin: RequestOrigin,
        by owner: AuthenticatedUser,
        _ current: Allocation,
        into effects: inout EffectQueue
    ) throws(Refusal) {
        guard
            origin.transactionID == current.answer.transactionID,
            current.owner.isNamed(owner.username)
        else { throw Refusal(.allocationMismatch) }
        if current.isOpen {
            answer(current, to: origin, into: &effects)
        } else {
            effects.append(.report(.dropped(.allocationPending)))
        }
    }

    private mutating func open(
        _ opening: RelayOpening,
        for allocation: Allocation,
        into effects: inout EffectQueue
    ) {
        allocations.openings[allocation.id] = opening
        let request = RelayRequest(wish: opening.wish, user: effects.store(allocation.owner.quotaKey.name))
        effects.append(.openRelay(allocation.id, request))
    }

    /// Goes on with an Allocate request when it is known what became of a relay socket: with the other one of a dual
    /// allocation, or with the answer.
    ///
    /// Takes the request's place in order: it must come before the next datagram reaches `handle`. A socket for an
    /// allocation that is gone by then is closed again.
    public mutating func relayOpened(
        _ id: AllocationID,
        _ outcome: RelayOpenOutcome,
        now: Instant,
        into effects: inout EffectQueue
    ) {
        guard let opening = allocations.openings.removeValue(forKey: id), var allocation = allocations[id] else {
            if let socket = outcome.socket { effects.append(.closeRelay(socket)) }
            return
        }
        switch outcome {
        case .opened(let socket, let bound):
            add(socket, bound, to: &allocation)
        case .openedPair(let socket, let bound, let token):
            add(socket, bound, to: &allocation)
            allocation.answer.reservation = token
        case .quota where allocation.relays.first == nil:
            // The other family would be charged to the same user.
            return refusePending(allocation, opening.origin, .allocationQuotaReached, into: &effects)
        case .quota, .capacity:
            guard
                opening.next != nil || allocation.relays.first != nil,
                let family = opening.wish.address?.family
            else {
                return refusePending(allocation, opening.origin, .insufficientCapacity, into: &effects)
            }
            allocation.answer.addressError = AddressErrorCode(family: family, code: .insufficientCapacity)
        }
        if let next = opening.next {
            allocations.store(allocation)
            open(RelayOpening(origin: opening.origin, wish: next, next: nil), for: allocation, into: &effects)
        } else {
            complete(&allocation, to: opening.origin, now: now, into: &effects)
        }
    }

    private func add(_ socket: SocketID, _ bound: Endpoint, to allocation: inout Allocation) {
        let external = configuration.external(of: bound.address, at: allocation.flow.socket)
        allocation.relays[bound.address.family] = OpenRelay(
            socket: socket,
            relayed: Endpoint(address: external, port: bound.port),
            expires: allocation.expires
        )
    }

    private mutating func complete(
        _ allocation: inout Allocation,
        to origin: RequestOrigin,
        now: Instant,
        into effects: inout EffectQueue
    ) {
        guard let first = allocation.relays.first else { preconditionFailure("an allocation without a relay") }
        allocation.open(now: now)
        allocations.store(allocation)
        flows.show(allocation)
        answer(allocation, to: origin, into: &effects)
        effects.append(
            .report(
                .allocationOpened(
                    allocation.id,
                    flow: allocation.flow,
                    relayed: first.relayed,
                    additional: allocation.relays.second?.relayed,
                    username: effects.store(allocation.owner.username)
                )
            )
        )
    }

    /// The success that a client was, or is again, told about its allocation.
    private func answer(_ allocation: Allocation, to origin: RequestOrigin, into effects: inout EffectQueue) {
        effects.answer(origin) { builder in
            for relay in [allocation.relays.first, allocation.relays.second] {
                if let relay { builder.appendXORAddress(.xorRelayedAddress, relay.relayed) }
            }
            builder.appendLifetime(seconds: allocation.answer.grantedSeconds)
            if let token = allocation.answer.reservation { builder.appendReservationToken(token) }
            if let error = allocation.answer.addressError { builder.appendAddressErrorCode(error) }
            builder.appendXORAddress(.xorMappedAddress, allocation.flow.client)
        }
    }

    private mutating func refusePending(
        _ allocation: Allocation,
        _ origin: RequestOrigin,
        _ code: ErrorCode,
        into effects: inout EffectQueue
    ) {
        flows.remove(allocation)
        allocations.remove(allocation)
        effects.refuse(Refusal(code), origin)
    }

    /// The lifetime that a request gets: between the default and the maximum (RFC 8656 §7.2).
    func grantedLifetime(_ message: MessageView) throws(Refusal) -> UInt32 {
        let limits = configuration.limits
        guard message.contains(.lifetime) else { return limits.defaultLifetimeSeconds }
        guard let requested = message.lifetimeSeconds else { throw Refusal(.badRequest) }
        return max(limits.defaultLifetimeSeconds, min(requested, limits.maximumLifetimeSeconds))
    }
}

extension QuotaKey {
    /// The key in the registry: the kind goes before the name, so that nobody's name can be another's tag.
    fileprivate var name: String {
        switch self {
        case .staticUser(let name): "static " + name
        case .tag(let tag): "tag " + tag.text
        case .name(let name): "name " + name
        }
    }
}

extension RelayOpenOutcome {
    fileprivate var socket: SocketID? {
        switch self {
        case .opened(let socket, _), .openedPair(let socket, _, _): socket
        case .quota, .capacity: nil
        }
    }
}
