import NetPrimitives
import STUNCore
import STUNServer
import TestSupport

@testable import TURNRelay

/// A relay process without a process: three shards, one registry, and sockets that are entries in a table.
///
/// Does with effects what a shell does, in its order: an allocation's socket is there before the next datagram, sockets
/// are closed after a pass of several, slots are used again under a new generation. Ports that another process has and
/// descriptors that run out come from the seed.
final class VirtualRelay {
    static let listener = SocketID(slot: 0, generation: 0)
    static let shardCount = 3

    /// One shard with its sockets.
    final class Shard {
        var turn: TURNShard
        var effects = EffectQueue(effectLimit: 64, byteLimit: 32 * 1024)
        var leases: [SocketID: RelayLease] = [:]
        var closing: [SocketID] = []
        var peakAllocations = 0
        /// Whose allocations were reported as opened and not yet as closed.
        var clientByAllocation: [AllocationID: Endpoint] = [:]
        private var freeSlots: [SocketID] = []
        private var slotCount: UInt32 = 0

        init(_ turn: consuming TURNShard) { self.turn = turn }

        func insert(_ lease: RelayLease) -> SocketID {
            let socket: SocketID
            if let free = freeSlots.popLast() {
                socket = SocketID(slot: free.slot, generation: free.generation + 1)
            } else {
                slotCount += 1
                socket = SocketID(slot: slotCount, generation: 0)
            }
            leases[socket] = lease
            return socket
        }

        func remove(_ socket: SocketID) -> RelayLease? {
            let lease = leases.removeValue(forKey: socket)
            if lease != nil { freeSlots.append(socket) }
            return lease
        }
    }

    struct Sent {
        let bytes: [UInt8]
        let socket: SocketID
        let destination: Endpoint
    }

    /// What came of one datagram.
    struct Outcome {
        var verdict: Verdict
        var sent: [Sent] = []
        var events: [RelayEvent] = []
        /// What came of the relay sockets that it asked for, in their order.
        var openings: [RelayOpenOutcome] = []
        /// Whether the shard has all the allocations that it may have, by what it has reported.
        var isShardFull = false
        /// Whose allocations ended because their time was over.
        var expired: [Endpoint] = []
        /// Whose allocations ended with their call.
        var endedWithCall: [Endpoint] = []

        var openedCount: Int { openings.count { $0 != .quota && $0 != .capacity } }
    }

    let shards: [Shard]
    var registry: AllocationRegistry
    var random: SeededGenerator
    /// Who has a relay port: the shard and its socket.
    private(set) var sockets: [Endpoint: (shard: Int, socket: SocketID)] = [:]
    /// How often a socket could not be had, by what the registry or the system said; without those of a drain.
    private(set) var capacityRefusals = 0
    private(set) var quotaRefusals = 0
    /// Relay ports that another process has.
    private let foreignPorts: Set<UInt16>
    private(set) var isDraining = false
    private let descriptorLimit: Int
    private let allocationLimit: Int
    private let liveRelays: LiveRelayPorts

    init(_ world: SimulatedWorld.Setting, random: inout SeededGenerator) {
        let nonceKey = NonceKey(using: &random)
        var shards: [Shard] = []
        for _ in 0..<Self.shardCount {
            let turn = TURNShard(
                configuration: world.configuration,
                credentials: world.credentials,
                nonceKey: nonceKey,
                tableSeed: random.next()
            )
            shards.append(Shard(turn))
        }
        self.shards = shards
        registry = AllocationRegistry(ports: world.ports, limits: world.registryLimits)
        foreignPorts = Set(world.ports.filter { _ in random.oneIn(8) })
        descriptorLimit = world.descriptorsPerShard
        allocationLimit = world.configuration.limits.allocationsPerShard
        liveRelays = world.liveRelays
        self.random = SeededGenerator(seed: random.next())
    }

    /// Where the kernel delivers the datagrams of a client: always to the same shard.
    func shardIndex(of client: Endpoint) -> Int {
        Int((client.address.low &* 31 &+ UInt64(client.port)) % UInt64(Self.shardCount))
    }

    func flow(_ client: Endpoint) -> Flow { Flow(client: client, socket: Self.listener, transport: .udp) }

    /// A client's datagram.
    func receive(_ bytes: [UInt8], from client: Endpoint, now: Instant, unixSeconds: UInt64) -> Outcome {
        let shard = shards[shardIndex(of: client)]
        let flow = flow(client)
        var outcome = Outcome(verdict: shard.turn.route(bytes.span.rawBytes, from: flow, now: now))
        guard outcome.verdict == .control else { return outcome }
        shard.turn.handle(bytes.span.rawBytes, from: flow, now: now, unixSeconds: unixSeconds, into: &shard.effects)
        apply(shard, now: now, to: &outcome)
        outcome.isShardFull = shard.clientByAllocation.count >= allocationLimit
        return outcome
    }

    /// A second has passed: expired allocations go.
    func sweep(limit: Int, now: Instant) -> Outcome {
        var outcome = Outcome(verdict: .control)
        for shard in shards {
            shard.turn.sweep(now: now, limit: limit, into: &shard.effects)
            apply(shard, now: now, to: &outcome)
        }
        return outcome
    }

    /// A call is over, as all shards are told.
    func endCall(_ call: EndedCall, now: Instant) -> Outcome {
        var outcome = Outcome(verdict: .control)
        for shard in shards {
            while !shard.turn.endCall(call, now: now, into: &shard.effects) { apply(shard, now: now, to: &outcome) }
            apply(shard, now: now, to: &outcome)
        }
        return outcome
    }

    /// The beginning of a drain: no more relays, and another server for who comes by IPv4.
    func drain(to alternate: Endpoint) {
        isDraining = true
        var alternates = AlternateServers()
        alternates.ipv4 = alternate
        for shard in shards { shard.turn.drain(to: alternates) }
    }

    /// The end of a drain: what is left goes at once.
    func closeAll(now: Instant) -> Outcome {
        var outcome = Outcome(verdict: .control)
        for shard in shards {
            while !shard.turn.closeAll(into: &shard.effects) { apply(shard, now: now, to: &outcome) }
            apply(shard, now: now, to: &outcome)
        }
        return outcome
    }

    /// The end of a pass: sockets close, and their ports go back.
    func flush(now: Instant) {
        for shard in shards {
            for socket in shard.closing {
                guard let lease = shard.remove(socket) else {
                    preconditionFailure("a socket was closed that is not open")
                }
                sockets[lease.endpoint] = nil
                liveRelays.close(lease.endpoint)
                registry.vacate(lease, now: now)
            }
            shard.closing = []
        }
    }

    private func apply(_ shard: Shard, now: Instant, to outcome: inout Outcome) {
        var index = 0
        while index < shard.effects.count {
            switch shard.effects[index] {
            case .send(let slice, let socket, let destination):
                let bytes = shard.effects.bytes(slice).copied()
                outcome.sent.append(Sent(bytes: bytes, socket: socket, destination: destination))
            case .openRelay(let allocation, let request):
                let answer = open(request, on: shard, now: now)
                outcome.openings.append(answer)
                if answer == .capacity, !isDraining { capacityRefusals += 1 }
                if answer == .quota { quotaRefusals += 1 }
                shard.turn.relayOpened(allocation, answer, now: now, into: &shard.effects)
            case .closeRelay(let socket):
                guard let lease = shard.leases[socket], !shard.closing.contains(socket) else {
                    preconditionFailure("a socket is to be closed that is not open")
                }
                registry.discharge(lease)
                shard.closing.append(socket)
            case .report(let event):
                outcome.events.append(event)
                account(event, shard, to: &outcome)
            }
            index += 1
        }
        shard.effects.removeAll()
        shard.peakAllocations = max(shard.peakAllocations, shard.turn.allocationCount)
    }

    private func account(_ event: RelayEvent, _ shard: Shard, to outcome: inout Outcome) {
        switch event {
        case .allocationOpened(let id, let flow, _, _, _):
            let previous = shard.clientByAllocation.updateValue(flow.client, forKey: id)
            precondition(previous == nil, "an allocation was opened twice")
        case .allocationClosed(let id, let cause, _):
            guard let client = shard.clientByAllocation.removeValue(forKey: id) else {
                preconditionFailure("an allocation was closed that is not open")
            }
            if cause == .expired { outcome.expired.append(client) }
            if cause == .callEnded { outcome.endedWithCall.append(client) }
        default:
            break
        }
    }

    private func open(_ request: RelayRequest, on shard: Shard, now: Instant) -> RelayOpenOutcome {
        guard !isDraining, shard.leases.count < descriptorLimit else { return .capacity }
        let user = shard.effects.name(request.user)
        var answer = registry.lease(user, request.wish, now: now, random: &random)
        while case .leased(let lease) = answer {
            let isReservedForeign = lease.reservedEndpoint.map { foreignPorts.contains($0.port) } ?? false
            if foreignPorts.contains(lease.endpoint.port) || isReservedForeign {
                answer = registry.retry(lease, now: now, random: &random)
            } else if random.oneIn(300) {
                // The system is out of memory for once.
                registry.abandon(lease, now: now)
                return .capacity
            } else {
                precondition(sockets[lease.endpoint] == nil, "a port was leased that a socket still has")
                let socket = shard.insert(lease)
                sockets[lease.endpoint] = (shards.firstIndex { $0 === shard } ?? 0, socket)
                liveRelays.open(lease.endpoint)
                guard let token = lease.reservation else { return .opened(socket, lease.endpoint) }
                return .openedPair(socket, lease.endpoint, token)
            }
        }
        return answer == .quota ? .quota : .capacity
    }
}
