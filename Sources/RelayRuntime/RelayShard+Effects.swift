import NetPrimitives
import PacketIO
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
        var answer = registry.lease(user, on: request.address, parity: request.parity, now: now)
        while case .leased(let lease) = answer {
            do throws(SystemError) {
                return .opened(try bindRelay(lease), lease.endpoint)
            } catch {
                guard error.isAddressInUse else {
                    registry.release(lease, now: now)
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
        return identifier
    }

    private mutating func refuseForCapacity() -> RelayOpenOutcome {
        counts.add(.capacityRefusals)
        return .capacity
    }

    private mutating func note(_ event: RelayEvent) {
        switch event {
        case .allocationOpened(let allocation, let flow, let relayed, let username):
            counts.add(.allocationsOpened)
            meters.open(allocation.slot)
            notify(.allocationOpened(username: effects.name(username), client: flow.client, relayed: relayed))
        case .allocationClosed(let allocation, let cause, let username):
            counts.add(.allocationsClosed)
            let traffic = meters.traffic(allocation.slot)
            notify(.allocationClosed(username: effects.name(username), cause: cause, traffic: traffic))
        case .answered:
            counts.add(.answered)
        case .refused:
            counts.add(.refused)
        case .dropped(let reason):
            counts.add(reason)
        }
    }

    /// Closes what was to be closed. Only after a flush: the batch names descriptors.
    mutating func closeRelays() {
        guard !closing.isEmpty else { return }
        for socket in closing {
            guard let lease = sockets.remove(socket) else { continue }
            registry.release(lease, now: now)
        }
        closing.removeAll(keepingCapacity: true)
    }

    /// Does what the mailbox says.
    mutating func obeyOrders() {
        let orders = mailbox.collect()
        if let nanoseconds = orders.drainDeadlineNanoseconds {
            let deadline = Instant(nanoseconds: nanoseconds)
            drainDeadline = min(drainDeadline ?? deadline, deadline)
            registry.close()
        }
    }
}
