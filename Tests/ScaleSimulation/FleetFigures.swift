/// What came of one simulation of the relays.
struct FleetFigures: Encodable {
    /// A time that counts for itself.
    struct Phase: Encodable {
        /// Of a relay, on average.
        let meanAllocations: Double
        /// Of the relay that had the most, at its worst moment.
        let peakAllocations: Int
        /// Calls whose media a relay carried, on average.
        let meanCarried: Double
        let peakCarried: Int
        /// Allocations that one relay was asked for in one second, at the worst.
        let peakNewPerSecond: Int
        /// Allocations refused for want of ports.
        let refused: Int
        /// Calls that needed a relay and got none.
        let withoutRelay: Int

        init(_ relays: [RelayFleet.Relay], seconds: Int, withoutRelay: Int) {
            let alive = relays.filter(\.isAlive)
            let relaySeconds = Double(max(1, alive.count * seconds))
            meanAllocations = Double(alive.reduce(0) { $0 + $1.allocationSeconds }) / relaySeconds
            meanCarried = Double(alive.reduce(0) { $0 + $1.carriedSeconds }) / relaySeconds
            peakAllocations = alive.map(\.peakAllocations).max() ?? 0
            peakCarried = alive.map(\.peakCarried).max() ?? 0
            peakNewPerSecond = alive.map(\.peakNewPerSecond).max() ?? 0
            refused = alive.reduce(0) { $0 + $1.refused }
            self.withoutRelay = withoutRelay
        }

        /// How far the fullest relay is above the average.
        var unevenness: Double { meanAllocations > 0 ? Double(peakAllocations) / meanAllocations : 0 }
    }

    let relays: Int
    /// While all relays are there.
    let steady: Phase
    /// From the death of the busiest on.
    let after: Phase
    /// Calls that had been relayed by it and are relayed by others.
    let restarted: Int
}
