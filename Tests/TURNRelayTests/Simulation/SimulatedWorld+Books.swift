import NetPrimitives
import STUNCore
import TestSupport

@testable import TURNRelay

extension SimulatedWorld {
    /// Whether the packet path says of a datagram what the records say, read slowly.
    func compareWithRecords(_ bytes: [UInt8], from client: Endpoint) throws(ClaimFailure) {
        let shard = relay.shards[relay.shardIndex(of: client)]
        let flow = relay.flow(client)
        let verdict = shard.turn.route(bytes.span.rawBytes, from: flow, now: now).withoutFault
        let reference = shard.turn.referenceRoute(bytes, from: flow, now: now).withoutFault
        try claim(verdict == reference, "\(client), \(bytes): \(verdict), by the records \(reference)")
    }

    /// Whether the books balance: sockets, leases, quotas and tables, in all shards together.
    func checkBooks(_ moment: String) throws(ClaimFailure) {
        var leases: [RelayLease] = []
        var charged: [RelayLease] = []
        for shard in relay.shards {
            shard.turn.checkInvariants(moment)
            leases.append(contentsOf: shard.leases.values)
            // A socket that is to be closed is charged to nobody any more.
            charged.append(contentsOf: shard.leases.filter { !shard.closing.contains($0.key) }.values)
            let open = shard.clientByAllocation.count
            try claim(open == shard.turn.allocationCount, "\(moment): \(open) were reported open")
            // One more for a moment: what is refused for quota or capacity had a slot while its socket was asked for.
            let slots = shard.turn.allocations.slotCount
            try claim(slots <= shard.peakAllocations + 1, "\(moment): \(slots) slots for \(shard.peakAllocations)")
        }
        try claim(
            Set(leases.map(\.endpoint)).count == leases.count,
            "\(moment): a port is bound twice"
        )
        try claim(
            relay.registry.leaseCount == charged.count,
            "\(moment): \(relay.registry.leaseCount) leases and \(charged.count) sockets"
        )
        let held = Dictionary(grouping: charged, by: \.user).mapValues(\.count)
        var total = 0
        for user in setting.users.map(\.charged) {
            let count = relay.registry.leaseCount(of: user)
            total += count
            try claim(count >= held[user, default: 0], "\(moment): \(user) is charged too little")
            let quota = setting.registryLimits.perUser
            try claim(quota == 0 || count <= quota, "\(moment): \(user) has \(count) of \(quota)")
        }
        let due = charged.count + relay.registry.reservationCount
        try claim(total == due, "\(moment): \(total) are charged for \(due) leases and reservations")
    }

    /// Whether nothing is left: no allocation, no socket, no charge, no entry, and every port free again.
    func checkEmpty() throws(ClaimFailure) {
        try checkBooks("the end")
        for shard in relay.shards {
            try claim(shard.turn.allocationCount == 0, "\(shard.turn.allocationCount) allocations are left")
            try claim(shard.turn.flows.count == 0, "\(shard.turn.flows.count) entries of the packet path are left")
            try claim(shard.leases.isEmpty, "\(shard.leases.count) sockets are left")
        }
        // Reservations that have ended go with the next request.
        let wish = PortWish.any(setting.relays[0].bound)
        if case .leased(let lease) = relay.registry.lease("a stranger", wish, now: now, random: &random) {
            relay.registry.release(lease, now: now)
        }
        try claim(relay.registry.reservationCount == 0, "reservations are left")
        try claim(relay.registry.leaseCount == 0, "\(relay.registry.leaseCount) leases are left")
        for user in setting.users.map(\.charged) {
            let charged = relay.registry.leaseCount(of: user)
            try claim(charged == 0, "\(user) is still charged \(charged)")
        }
        try checkPorts()
    }

    /// Whether every relay port can be had again, once.
    private func checkPorts() throws(ClaimFailure) {
        var registry = relay.registry
        // When all have rested, one that is given back comes again only after all the others, whatever the quotas are.
        let rested = now.advanced(bySeconds: setting.registryLimits.portRestSeconds)
        for address in setting.relays.map(\.bound) {
            var drawn: Set<UInt16> = []
            for _ in setting.ports {
                let answer = registry.lease("a stranger", .any(address), now: rested, random: &random)
                guard case .leased(let lease) = answer else { break }
                drawn.insert(lease.endpoint.port)
                registry.release(lease, now: rested)
            }
            try claim(drawn.count == setting.ports.count, "only \(drawn.count) ports of \(address) can be had again")
        }
    }
}
