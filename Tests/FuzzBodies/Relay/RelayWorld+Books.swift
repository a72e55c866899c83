import NetPrimitives
import TURNRelay

/// What has to agree.
extension RelayWorld {
    /// The counts that have to agree after every step.
    func checkBooks() throws(FuzzFinding) {
        try expect(registry.leaseCount == leases.count, "\(registry.leaseCount) leases, \(leases.count) sockets")
        try expect(ledger.relays.count == leases.count, "\(ledger.relays.count) relays, \(leases.count) sockets")
        let allocations = shard.allocationCount
        try expect(allocations <= Self.allocationLimit, "\(allocations) allocations")
        try expect(allocations <= leases.count, "\(allocations) allocations, \(leases.count) sockets")
        for lease in leases.values where settings.quotaPerUser > 0 {
            let count = registry.leaseCount(of: lease.user)
            try expect(count <= settings.quotaPerUser, "\(lease.user) has \(count) of \(settings.quotaPerUser)")
        }
        let endpoints = Set(leases.values.map(\.endpoint))
        try expect(endpoints.count == leases.count, "\(leases.count) sockets share \(endpoints.count) endpoints")
    }

    /// Draws whatever can be had, from a copy, and finds none of it in use. Too slow for every step.
    private func checkFreePorts() throws(FuzzFinding) {
        var copy = registry
        var random = random
        for address in [RelayCast.relayIPv4, RelayCast.relayIPv6] {
            var count = 0
            while case .leased(let lease) = copy.lease("draw \(count)", .any(address), now: now, random: &random) {
                let isUsed = leases.values.contains { $0.endpoint == lease.endpoint }
                try expect(!isUsed, "\(lease.endpoint) is in use and counts as free")
                count += 1
            }
        }
    }

    /// When all has expired nothing is left, and every port can be had again.
    mutating func checkNothingIsLeft() throws(FuzzFinding) {
        try checkFreePorts()
        advance(bySeconds: 3_601)
        try sweep(limit: 1_000)
        try expect(leases.isEmpty, "\(leases.count) relays outlive everything")
        try expect(shard.allocationCount == 0, "\(shard.allocationCount) allocations outlive everything")
        try expect(registry.leaseCount == 0, "\(registry.leaseCount) leases outlive everything")
        advance(bySeconds: 121)
        for address in [RelayCast.relayIPv4, RelayCast.relayIPv6] {
            for port in settings.ports {
                let answer = registry.lease("after \(port)", .any(address), now: now, random: &random)
                guard case .leased = answer else { throw FuzzFinding(description: "a port is lost: \(answer)") }
            }
        }
        try expect(registry.reservationCount == 0, "\(registry.reservationCount) reservations outlive everything")
        for user in chargedUsers.sorted() {
            let count = registry.leaseCount(of: user)
            try expect(count == 0, "\(user) is charged \(count) when everything is over")
        }
        for socket in everOpened { for peer in RelayCast.peers { try hear(1, from: peer, on: socket) } }
    }
}
