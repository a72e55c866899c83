/// How much of everything a load needs, by what things cost.
struct Sizes: Encodable {
    let traffic: Traffic

    /// Of a machine's processors and of its network this part is planned to be used in the busy hour.
    static let use = 0.5
    /// Processors of a signaling node; more serve nothing but relaying.
    static let nodeProcessors = 4.0
    /// Sockets of a signaling node: one is a descriptor, and its death is the return of as many.
    static let socketsPerNode = 100_000.0
    /// Processors of a relay.
    static let relayProcessors = 8.0
    /// Bits a second of a relay's network, one way.
    static let relayBits = 10e9
    /// Ports of one relay address, by default.
    static let portsPerRelay = 16_384.0

    /// Calls a second by what they cost: those that are not answered cost less.
    var weighedCallsPerSecond: Double {
        traffic.answeredPerSecond
            + (traffic.startedPerSecond - traffic.answeredPerSecond) * MeasuredCosts.unansweredShare
    }

    var changesPerSecond: Double { weighedCallsPerSecond * MeasuredCosts.changesPerCall }
    var nodeCores: Double { weighedCallsPerSecond * MeasuredCosts.nodeSecondsPerCall }
    var databaseCores: Double { weighedCallsPerSecond * MeasuredCosts.databaseSecondsPerCall }
    var redisCores: Double { weighedCallsPerSecond * MeasuredCosts.redisSecondsPerCall }
    var logBytesPerSecond: Double { weighedCallsPerSecond * MeasuredCosts.logBytesPerCall }
    var keptBytesPerDay: Double {
        weighedCallsPerSecond * 3_600 * traffic.busyHoursPerDay * MeasuredCosts.keptBytesPerCall
    }
    var socketBytes: Double { traffic.sockets * MeasuredCosts.bytesPerSocket }
    var relayCores: Double {
        let setUp = traffic.startedPerSecond * (1 + traffic.answeredShare) * Double(RelayFleet.relaysPerCall)
        return traffic.relayedPackets * MeasuredCosts.relaySecondsPerPacket + setUp * MeasuredCosts.secondsPerAllocation
    }
    var allocationBytes: Double { traffic.allocations * MeasuredCosts.bytesPerAllocation }

    /// Nodes for signaling: two at least, and one more than is needed.
    var nodes: Int {
        let needed = max(nodeCores / (Self.nodeProcessors * Self.use), traffic.sockets / Self.socketsPerNode)
        return max(2, Int(needed.rounded(.up)) + 1)
    }

    /// What each of these would need so many relays for.
    var relaysByCores: Double { relayCores / (Self.relayProcessors * Self.use) }
    var relaysByNetwork: Double { traffic.relayedBits / (Self.relayBits * Self.use) }
    var relaysByPorts: Double { traffic.allocations / (Self.portsPerRelay * Self.use) }

    /// Relays: two at least, and one more than is needed.
    var relays: Int { max(2, Int(max(relaysByCores, relaysByNetwork, relaysByPorts).rounded(.up)) + 1) }

    /// Seconds until everybody whose node died is back in the calls, on the nodes that are left.
    var secondsToResume: Double {
        let share = traffic.sockets / Double(nodes) / Double(nodes - 1)
        return share / (MeasuredCosts.resumedPerSecond * Self.nodeProcessors * Self.use)
    }

    private enum CodingKeys: CodingKey {
        case traffic, startedPerSecond, changesPerSecond, nodeCores, databaseCores, redisCores, logBytesPerSecond
        case keptBytesPerDay, sockets, socketBytes, relayedPackets, relayedBits, relayCores, allocations
        case allocationBytes, nodes, relays, secondsToResume
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(traffic, forKey: .traffic)
        try container.encode(nodes, forKey: .nodes)
        try container.encode(relays, forKey: .relays)
        let figures: [(CodingKeys, Double)] = [
            (.startedPerSecond, traffic.startedPerSecond), (.changesPerSecond, changesPerSecond),
            (.nodeCores, nodeCores), (.databaseCores, databaseCores), (.redisCores, redisCores),
            (.logBytesPerSecond, logBytesPerSecond), (.keptBytesPerDay, keptBytesPerDay),
            (.sockets, traffic.sockets), (.socketBytes, socketBytes), (.relayedPackets, traffic.relayedPackets),
            (.relayedBits, traffic.relayedBits), (.relayCores, relayCores), (.allocations, traffic.allocations),
            (.allocationBytes, allocationBytes), (.secondsToResume, secondsToResume),
        ]
        for (key, value) in figures { try container.encode(value, forKey: key) }
    }
}
