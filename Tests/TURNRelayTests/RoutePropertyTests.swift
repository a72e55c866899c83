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
            let open = history.relay.shard.liveAllocations(Instant(nanoseconds: 0)).count
            #expect(history.relay.leases.count == open, "seed \(seed): a socket an allocation")
            history.relay.advance(bySeconds: 3601)
            history.relay.sweep()
            #expect(history.relay.leases.isEmpty && history.relay.registry.leaseCount == 0, "seed \(seed)")
            #expect(history.relay.shard.flows.count == 0, "seed \(seed): nothing is left")
        }
    }
}
