import NetPrimitives
import TURNRelay

/// What a shell does, with sockets in name only.
extension RelayWorld {
    mutating func applyEffects(of flow: Flow?) throws(FuzzFinding) -> [Datagram] {
        var sent: [Datagram] = []
        openedInStep = 0
        var index = 0
        while index < effects.count {
            switch effects[index] {
            case .send(let slice, let socket, let destination):
                try expect(socket == RelayCast.listener, "an answer leaves by \(socket)")
                sent.append(Datagram(bytes: effects.bytes(slice).copied(), destination: destination))
            case .openRelay(let id, let request):
                let flow = try unwrap(flow, "a relay is opened for nobody")
                let outcome = try open(request, for: flow)
                shard.relayOpened(id, outcome, now: now, into: &effects)
            case .closeRelay(let socket):
                let lease = try unwrap(leases.removeValue(forKey: socket), "\(socket) is closed twice")
                registry.discharge(lease)
                closing.append(lease)
                ledger.close(socket)
            case .report: break
            }
            index += 1
        }
        effects.removeAll()
        for lease in closing {
            liveRelays.close(lease.endpoint)
            registry.vacate(lease, now: now)
        }
        closing.removeAll()
        return sent
    }

    private mutating func open(_ request: RelayRequest, for flow: Flow) throws(FuzzFinding) -> RelayOpenOutcome {
        openedInStep += 1
        guard opening != .refused, opening != .onlyOne || openedInStep == 1 else { return .capacity }
        let user = effects.name(request.user)
        chargedUsers.insert(user)
        var answer = registry.lease(user, request.wish, now: now, random: &random)
        var takenPorts = opening == .allTaken ? Int.max : opening == .taken ? 2 : 0
        while case .leased(let lease) = answer, takenPorts > 0 {
            answer = registry.retry(lease, now: now, random: &random)
            takenPorts -= 1
        }
        switch answer {
        case .quota: return .quota
        case .capacity: return .capacity
        case .leased(let lease):
            guard opening != .outOfDescriptors else {
                registry.abandon(lease, now: now)
                return .capacity
            }
            let socket = SocketID(slot: UInt32(everOpened.count) + 1, generation: 0)
            try expect(settings.ports.contains(lease.endpoint.port), "port \(lease.endpoint.port) is not ours")
            let isTwice = (leases.values + closing).contains { $0.endpoint == lease.endpoint }
            try expect(!isTwice, "\(lease.endpoint) is leased twice")
            leases[socket] = lease
            liveRelays.open(lease.endpoint)
            everOpened.append(socket)
            ledger.open(socket, lease.endpoint, for: flow)
            guard let token = lease.reservation else { return .opened(socket, lease.endpoint) }
            return .openedPair(socket, lease.endpoint, token)
        }
    }
}
