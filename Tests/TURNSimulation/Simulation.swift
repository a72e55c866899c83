import TestSupport

/// Measures one shard that holds `allocations`, from its first to its last.
struct Simulation {
    let allocations: Int
    /// Look-ups of each kind, and slots that sweeps visit, at least; every allocation is looked up at least once.
    let lookups: Int
    let status: PacedStatus

    func run() throws(SimulationFailure) -> SimulationFigures {
        // Another one in every run: how entries happen to lie in the tables is part of the spread.
        var random = SeededGenerator(seed: .random(in: .min ... .max))
        ProcessFigures.giveBackFreeMemory()
        var relay = SimulatedRelay(count: allocations, random: &random)
        let residentBefore = ProcessFigures.residentBytes()
        let setup = try relay.fill { made in say("\(made) made") }
        let residentBytes = ProcessFigures.residentBytes() - residentBefore

        say("look-ups", isUrgent: true)
        let order = lookupOrder(&random)
        let up = try relay.routeUp(order)
        let down = try relay.routeDown(order)
        let send = try relay.routeSend(order)
        say("sweeps", isUrgent: true)
        let sweep = try relay.sweepIdle(leastVisits: lookups)
        let expiry = try relay.expireAll()
        return SimulationFigures(
            allocations: allocations,
            lookups: order.count,
            routeUpNanoseconds: up,
            routeDownNanoseconds: down,
            routeSendNanoseconds: send,
            sweepNanosecondsPerSlot: sweep,
            expiryNanosecondsEach: expiry,
            setupCPUMicrosecondsEach: Double(setup.cpuNanoseconds) / 1000 / Double(allocations),
            longestRequestMilliseconds: Double(setup.longestRequestNanoseconds) / 1_000_000,
            residentBytesEach: Double(residentBytes) / Double(allocations)
        )
    }

    /// All clients in random order, and again in another until there are enough. Drawn beforehand, so that drawing is not
    /// timed.
    private func lookupOrder(_ random: inout SeededGenerator) -> [UInt32] {
        var order: [UInt32] = []
        var round = (0..<allocations).map { UInt32(truncatingIfNeeded: $0) }
        repeat {
            round.shuffle(using: &random)
            order += round
        } while order.count < lookups
        return order
    }

    private func say(_ text: String, isUrgent: Bool = false) {
        status.show("\(allocations) allocations: \(text)", isUrgent: isUrgent)
    }
}
