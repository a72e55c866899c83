import NetPrimitives
import PacketIO
import STUNServer
import TURNRelay

extension RelayShard {
    /// Does what the last call into the TURN state asked for, and what comes of doing so.
    mutating func applyEffects() {
        var index = 0
        while index < effects.count {
            switch effects[index] {
            case .send(let bytes, let socket, let destination):
                reply(bytes, from: socket, to: destination)
            case .openRelay(let allocation, let request):
                let outcome = openRelay(request)
                turn.relayOpened(allocation, outcome, now: now, into: &effects)
            case .closeRelay(let socket):
                // The allocation is gone and no longer charged; the socket stays for what waits to leave by it.
                if let lease = sockets.lease(of: socket) { registry.discharge(lease) }
                closing.append(socket)
            case .report(let event):
                note(event)
            }
            index += 1
        }
        effects.removeAll()
    }

    private mutating func reply(_ slice: ArenaSlice, from socket: SocketID, to destination: Endpoint) {
        guard let descriptor = sockets.descriptor(of: socket) else { return }
        counts.add(.replies)
        if batch.append(slice, of: effects, from: socket, descriptor: descriptor, to: destination) { return }
        send()
        let fits = batch.append(slice, of: effects, from: socket, descriptor: descriptor, to: destination)
        precondition(fits, "a reply is smaller than an empty batch")
    }

    /// Binds the first port of the registry's choice that nobody else has.
    private mutating func openRelay(_ request: RelayRequest) -> RelayOpenOutcome {
        guard sockets.hasRoom else { return refuseForCapacity() }
        let user = effects.name(request.user)
        var answer = registry.lease(user, request.wish, now: now)
        while case .leased(let lease) = answer {
            do throws(SystemError) {
                // Kept as a number, not as a socket, which could not follow its token to another shard; so it is bound
                // once to learn that no other process has it.
                if let next = lease.reservedEndpoint { _ = try UDPSocket(boundTo: next) }
                let socket = try bindRelay(lease)
                guard let token = lease.reservation else { return .opened(socket, lease.endpoint) }
                return .openedPair(socket, lease.endpoint, token)
            } catch {
                guard error.isAddressInUse else {
                    registry.abandon(lease, now: now)
                    return refuseForCapacity()
                }
                counts.add(.portsTaken)
                answer = registry.retry(lease, now: now)
            }
        }
        return answer == .quota ? .quota : refuseForCapacity()
    }

    private mutating func bindRelay(_ lease: RelayLease) throws(SystemError) -> SocketID {
        let options = UDPSocketOptions(
            receiveBufferBytes: Bounds.relayBufferBytes,
            sendBufferBytes: Bounds.relayBufferBytes
        )
        let identifier = sockets.insert(try UDPSocket(boundTo: lease.endpoint, options: options), lease: lease)
        do throws(SystemError) {
            try sockets.watch(identifier, with: poller)
        } catch {
            _ = sockets.remove(identifier)
            throw error
        }
        batch.prepare(slots: sockets.slotCount)
        directory.enter(lease.endpoint, at: RelayDirectory.Place(shard: index, socket: identifier))
        liveRelays.open(lease.endpoint)
        return identifier
    }

    private mutating func refuseForCapacity() -> RelayOpenOutcome {
        counts.add(.capacityRefusals)
        return .capacity
    }

    private mutating func note(_ event: RelayEvent) {
        switch event {
        case .allocationOpened(let allocation, let flow, let relayed, let additional, let username):
            counts.add(.allocationsOpened)
            meters.open(allocation.slot, now: now)
            let name = effects.name(username)
            if TimeLimitedUsername(parsing: name)?.own?.callID != nil { callMeters.open(allocation) }
            notify(
                .allocationOpened(
                    named(allocation),
                    username: name,
                    client: flow.client,
                    relayed: relayed,
                    additional: additional
                )
            )
        case .allocationClosed(let allocation, let cause, let username):
            counts.add(.allocationsClosed)
            let traffic = meters.traffic(allocation.slot)
            callMeters.close(allocation)
            let name = effects.name(username)
            notify(.allocationClosed(named(allocation), username: name, cause: cause, traffic: traffic))
        case .answered:
            counts.add(.answered)
        case .refused:
            counts.add(.refused)
        case .icmpPassedOn:
            counts.add(.icmpPassedOn)
        case .dropped(let reason):
            counts.add(reason)
        }
    }

    /// Closes what was to be closed. Only after a flush: the batch names descriptors.
    mutating func closeRelays() {
        guard !closing.isEmpty else { return }
        for socket in closing {
            // Before the port can be anybody else's.
            if let lease = sockets.lease(of: socket) { liveRelays.close(lease.endpoint) }
            guard let lease = sockets.remove(socket) else { continue }
            directory.remove(lease.endpoint)
            registry.vacate(lease, now: now)
        }
        closing.removeAll(keepingCapacity: true)
        // Perhaps that was the last relay of all, and a drain is over.
        nextDrainLook = now
    }

    /// Does what the mailbox says.
    mutating func obeyOrders() {
        let orders = mailbox.collect()
        for notice in orders.icmp { passOn(notice) }
        if let drain = orders.drain {
            let deadline = Instant(nanoseconds: drain.deadlineNanoseconds)
            drainDeadline = min(drainDeadline ?? deadline, deadline)
            nextDrainLook = now
            turn.drain(to: drain.alternates)
            registry.close()
        }
        for call in orders.endedCalls {
            while !turn.endCall(call, now: now, into: &effects) { applyEffects() }
            applyEffects()
        }
    }

    /// Tells of the calls' allocations whose turn it is.
    mutating func reportTraffic() {
        for _ in 0..<callMeters.turns {
            guard let allocation = callMeters.next() else { return }
            let traffic = meters.traffic(allocation.slot)
            guard callMeters.isNews(traffic, of: allocation) else { continue }
            notify(.allocationTraffic(named(allocation), traffic: traffic))
        }
    }

    /// Ends what the drain left over, so that its traffic is told.
    mutating func endRemaining() {
        while !turn.closeAll(into: &effects) { applyEffects() }
        applyEffects()
        send()
        closeRelays()
        counts.publish(to: shared)
    }

    private func named(_ allocation: AllocationID) -> RelayAllocation { RelayAllocation(shard: index, id: allocation) }
}
