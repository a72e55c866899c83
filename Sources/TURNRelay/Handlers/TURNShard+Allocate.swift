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
        guard let transport = message.requestedTransport else { throw Refusal(.badRequest) }
        guard transport == .udp else { throw Refusal(.unsupportedTransportProtocol) }
        let address = try relayAddress(for: message.requestedAddressFamily, at: origin.flow.socket)
        let parity = try portParity(message)
        let lifetime = try grantedLifetime(message)
        let inserted = allocations.insert(origin.flow) { id in
            Allocation(
                id: id,
                origin: origin,
                owner: owner,
                relayAddress: address,
                lifetimeSeconds: lifetime,
                now: now
            )
        }
        guard let allocation = inserted else { throw Refusal(.insufficientCapacity) }
        let request = RelayRequest(
            address: address.bound,
            parity: parity,
            user: effects.store(owner.quotaKey.name)
        )
        effects.append(.openRelay(allocation.id, request))
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
            origin.transactionID == current.origin.transactionID,
            current.owner.isNamed(owner.username)
        else { throw Refusal(.allocationMismatch) }
        switch current.phase {
        case .pending: effects.append(.report(.dropped(.allocationPending)))
        case .open(_, let relayed): answer(current, relayed, into: &effects)
        }
    }

    /// Completes an Allocate request with what became of its relay socket.
    ///
    /// Takes the request's place in order: it must come before the next datagram reaches `handle`. A socket for an
    /// allocation that is gone by then is closed again.
    public mutating func relayOpened(
        _ id: AllocationID,
        _ outcome: RelayOpenOutcome,
        now: Instant,
        into effects: inout EffectQueue
    ) {
        guard var allocation = allocations[id], allocation.phase == .pending else {
            if case .opened(let socket, _) = outcome { effects.append(.closeRelay(socket)) }
            return
        }
        switch outcome {
        case .opened(let socket, let bound):
            let relayed = Endpoint(address: allocation.relayAddress.external, port: bound.port)
            allocation.phase = .open(relay: socket, relayed: relayed)
            allocation.expires = now.advanced(bySeconds: allocation.grantedSeconds)
            allocations.store(allocation)
            flows.install(allocation)
            answer(allocation, relayed, into: &effects)
            let username = effects.store(allocation.owner.username)
            effects.append(
                .report(.allocationOpened(id, flow: allocation.flow, relayed: relayed, username: username))
            )
        case .quota:
            refusePending(allocation, .allocationQuotaReached, into: &effects)
        case .capacity:
            refusePending(allocation, .insufficientCapacity, into: &effects)
        }
    }

    /// The success that a client was, or is again, told about its allocation.
    private func answer(_ allocation: Allocation, _ relayed: Endpoint, into effects: inout EffectQueue) {
        effects.answer(allocation.origin) { builder in
            builder.appendXORAddress(.xorRelayedAddress, relayed)
            builder.appendLifetime(seconds: allocation.grantedSeconds)
            builder.appendXORAddress(.xorMappedAddress, allocation.flow.client)
        }
    }

    private mutating func refusePending(
        _ allocation: Allocation,
        _ code: ErrorCode,
        into effects: inout EffectQueue
    ) {
        allocations.remove(allocation)
        effects.refuse(Refusal(code), allocation.origin)
    }

    private func relayAddress(
        for request: RequestedFamily,
        at listener: SocketID
    ) throws(Refusal) -> RelayAddress {
        let family: IPAddress.Family
        switch request {
        case .absent: family = .ipv4
        case .family(let requested): family = requested
        case .unknown: throw Refusal(.addressFamilyNotSupported)
        }
        let relays = configuration.relaysByListener[listener] ?? configuration.relays
        guard let address = relays[family] else { throw Refusal(.addressFamilyNotSupported) }
        return address
    }

    /// EVEN-PORT is served as far as it asks for one port; the pair that its R bit asks for is not to be had.
    private func portParity(_ message: MessageView) throws(Refusal) -> PortParity {
        guard message.contains(.evenPort) else { return .any }
        guard let evenPort = message.evenPort else { throw Refusal(.badRequest) }
        guard !evenPort.reservesNextPort else { throw Refusal(.insufficientCapacity) }
        return .even
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
