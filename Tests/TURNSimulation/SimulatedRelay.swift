import NetPrimitives
import STUNServer
import TURNRelay
import TestSupport

/// One shard with a shell in name only: relay sockets are opened by saying so. The time stands still but where it is said.
struct SimulatedRelay: ~Copyable {
    /// Requests that are written before their handling is timed.
    static let batch = 256

    var shard: TURNShard
    var effects = EffectQueue()
    let count: Int
    let start = Instant(nanoseconds: 1_000_000_000)
    private var requests: RequestWriter
    /// What the last effects were.
    private(set) var told = Told()

    struct Told {
        var answered = 0
        var opened = 0
        var expired = 0
        var closedSockets = 0
    }

    /// An empty shard with room for `count` allocations and not one more.
    init(count: Int, random: inout SeededGenerator) {
        self.count = count
        let nonceKey = NonceKey(using: &random)
        requests = RequestWriter(nonceKey: nonceKey, random: SeededGenerator(seed: random.next()))
        let addresses = (0...(count - 1) / SimulatedClient.perRelayAddress).map { index in
            RelayAddress(bound: SimulatedClient.relayAddress(index))
        }
        var configuration = TURNConfiguration(
            relays: RelayAddresses(ipv4: addresses[0]),
            peers: PeerPolicy(ownRelays: addresses)
        )
        for (index, address) in addresses.enumerated() {
            configuration.relaysByListener[SimulatedClient.listener(index)] = RelayAddresses(ipv4: address)
        }
        configuration.liveRelays = LiveRelayPorts(addresses)
        configuration.limits.allocationsPerShard = count
        shard = TURNShard(
            configuration: configuration,
            credentials: requests.credentials,
            nonceKey: nonceKey,
            tableSeed: random.next()
        )
    }

    /// What the set-up of all clients took.
    struct SetupCost {
        var cpuNanoseconds: UInt64 = 0
        /// By the clock: for so long the shard could relay nothing.
        var longestRequestNanoseconds: UInt64 = 0
    }

    /// Has every client allocate and bind its channel. What the requests take to be written is not counted.
    mutating func fill(_ progress: (Int) -> Void) throws(SimulationFailure) -> SetupCost {
        var cost = SetupCost()
        var next = 0
        while next < count {
            let clients = (next..<min(next + Self.batch, count)).map {
                SimulatedClient(number: UInt32(truncatingIfNeeded: $0))
            }
            let written = clients.map { requests.requests(of: $0) }
            let begin = ProcessFigures.cpuNanoseconds()
            for (client, request) in zip(clients, written) {
                let allocating = try handle(request.allocate, from: client)
                guard told.answered == 1, told.opened == 1 else {
                    throw SimulationFailure("client \(client.number) got no allocation")
                }
                let binding = try handle(request.bind, from: client)
                guard told.answered == 1 else { throw SimulationFailure("client \(client.number) got no channel") }
                cost.longestRequestNanoseconds = max(cost.longestRequestNanoseconds, allocating, binding)
            }
            cost.cpuNanoseconds += ProcessFigures.cpuNanoseconds() - begin
            next += clients.count
            progress(next)
        }
        guard shard.allocationCount == count else {
            throw SimulationFailure("\(shard.allocationCount) allocations instead of \(count)")
        }
        return cost
    }

    /// Answers the nanoseconds that it took by the clock.
    private mutating func handle(
        _ request: [UInt8],
        from client: SimulatedClient
    ) throws(SimulationFailure) -> UInt64 {
        let begin = ProcessFigures.clockNanoseconds()
        shard.handle(
            request.span.rawBytes,
            from: client.flow,
            now: start,
            unixSeconds: RequestWriter.unixSeconds,
            into: &effects
        )
        try carryOut(for: client)
        return ProcessFigures.clockNanoseconds() - begin
    }

    /// Does with the effects what a shell does, but for the system calls, and tells what they were.
    mutating func carryOut(for client: SimulatedClient? = nil) throws(SimulationFailure) {
        told = Told()
        var index = 0
        while index < effects.count {
            switch effects[index] {
            case .openRelay(let id, _):
                // Slots are given out in turn, so that a verdict's meter tells whose it is.
                guard let client, id.slot == client.number else {
                    throw SimulationFailure("an allocation was made out of turn, in slot \(id.slot)")
                }
                let outcome = RelayOpenOutcome.opened(client.relaySocket, client.relayEndpoint)
                shard.relayOpened(id, outcome, now: start, into: &effects)
            case .send: break
            case .closeRelay: told.closedSockets += 1
            case .report(.answered): told.answered += 1
            case .report(.allocationOpened): told.opened += 1
            case .report(.allocationClosed(_, cause: .expired, _)): told.expired += 1
            case .report(let event): throw SimulationFailure("the relay reported \(event)")
            }
            index += 1
        }
        effects.removeAll()
    }
}
