internal import NetPrimitives
internal import STUNCore

extension TURNShard {
    /// Checks an Allocate request and asks the shell for its relay socket (RFC 8656 §7.2). The answer follows in
    /// `relayOpened`, when there is something to promise.
    mutating func allocate(
        _ message: MessageView,
        by owner: AllocationOwner,
        from flow: Flow,
        now: Instant,
        into effects: inout EffectQueue
    ) throws(Refusal) {
        guard let transport = message.requestedTransport else { throw Refusal(.badRequest) }
        guard transport == .udp else { throw Refusal(.unsupportedTransportProtocol) }
        let address = try relayAddress(for: message.requestedAddressFamily, at: flow.socket)
        let parity = try portParity(message)
        let lifetime = try grantedLifetime(message)
        let transactionID = message.transactionID
        let inserted = allocations.insert(flow) { id in
            Allocation(
                id: id,
                flow: flow,
                owner: owner,
                transactionID: transactionID,
                relayAddress: address,
                lifetimeSeconds: lifetime,
                now: now
            )
        }
        guard let allocation = inserted else { throw Refusal(.insufficientCapacity) }
        let request = RelayRequest(
            address: address.bound,
            parity: parity,
            user: effects.store(owner.quotaKey),
            flow: flow
        )
        effects.append(.openRelay(allocation.id, request))
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
            allocation.expires = now.advanced(bySeconds: allocation.lifetimeSeconds)
            allocations.store(allocation)
            flows.install(allocation)
            answerAllocate(allocation, into: &effects)
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
    mutating func answerAllocate(_ allocation: Allocation, into effects: inout EffectQueue) {
        guard case .open(_, let relayed) = allocation.phase else { return }
        effects.reply(
            MessageType(.allocate, .success),
            allocation.transactionID,
            to: allocation.flow,
            sealedBy: allocation.owner.seal
        ) { builder in
            builder.appendXORAddress(.xorRelayedAddress, relayed)
            builder.appendLifetime(seconds: allocation.lifetimeSeconds)
            builder.appendXORAddress(.xorMappedAddress, allocation.flow.client)
        }
        effects.append(.report(.answered))
    }

    private mutating func refusePending(
        _ allocation: Allocation,
        _ code: ErrorCode,
        into effects: inout EffectQueue
    ) {
        allocations.remove(allocation)
        effects.refuse(
            Refusal(code),
            .allocate,
            allocation.transactionID,
            to: allocation.flow,
            sealedBy: allocation.owner.seal
        )
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
