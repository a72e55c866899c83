import NetPrimitives
import Testing

@testable import TURNRelay

@Suite("The packet path and the records")
struct RoutePropertyTests {
    @Test("agree after every step of any history")
    func routeIsReference() throws {
        for seed: UInt64 in 1...40 {
            var history = try RandomHistory(seed: seed)
            for step in 0..<50 {
                try history.step()
                history.probe("seed \(seed), step \(step)")
                history.relay.shard.checkInvariants("seed \(seed), step \(step)")
            }
            let open = history.relay.shard.liveAllocations(Instant(nanoseconds: 0)).map { allocation in
                [allocation.relays.first, allocation.relays.second].compactMap(\.self).count
            }
            #expect(history.relay.leases.count == open.reduce(0, +), "seed \(seed): a socket a relayed address")
            history.relay.advance(bySeconds: 3601)
            history.relay.sweep()
            #expect(history.relay.leases.isEmpty && history.relay.registry.leaseCount == 0, "seed \(seed)")
            // Whoever asks next finds that no reservation outlived its time.
            try history.relay.allocate(history.clients[0])
            #expect(history.relay.registry.reservationCount == 0, "seed \(seed)")
            #expect(try history.relay.refresh(history.clients[0], lifetime: 0).isSuccess)
            for user in ["static alice", "static bob"] {
                #expect(history.relay.registry.leaseCount(of: user) == 0, "seed \(seed): nobody is charged")
            }
            #expect(history.relay.shard.flows.count == 0, "seed \(seed): nothing is left")
        }
    }
}
