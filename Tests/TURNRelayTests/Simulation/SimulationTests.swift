import TestSupport
import Testing

@testable import TURNRelay

@Suite("Simulation")
struct SimulationTests {
    /// `SIMULATION_SEEDS` and `SIMULATION_CLIENTS` make it longer; `make simulate` does.
    private var seeds: Int { environmentNumber("SIMULATION_SEEDS") ?? 2 }
    private var clients: Int { environmentNumber("SIMULATION_CLIENTS") ?? 1000 }

    @Test("a thousand clients, a bad network and a jumping clock: nothing leaks, and nothing is relayed without right")
    func thousandClients() throws {
        var answers: [UInt16: Int] = [:]
        var relayed = 0
        var refusals = (quota: 0, capacity: 0)
        var ofEndedCalls = (allocations: 0, refusals: 0)
        try checkProperty("simulation of \(clients) clients", iterations: seeds) { generator in
            let world = try SimulatedWorld(seed: generator.next(), clients: clients, actionsPerClient: 24)
            try world.run()
            if generator.oneIn(2) { try world.closeAll() } else { try world.expireAll() }
            try world.checkEmpty()
            answers.merge(world.oracle.answers, uniquingKeysWith: +)
            relayed += world.oracle.relayedCount
            refusals.quota += world.relay.quotaRefusals
            refusals.capacity += world.relay.capacityRefusals
            ofEndedCalls.allocations += world.endedWithCallCount
            ofEndedCalls.refusals += world.oracle.refusedCallCount
        }
        let codes = answers.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        print("simulation: \(seeds) seeds, relayed \(relayed) datagrams, answers by code \(codes)")
        #expect(relayed > 2 * clients, "a simulation that relays nothing shows nothing")
        for code: UInt16 in [0, 300, 401, 403, 437, 438, 441, 443, 486, 508] {
            #expect(answers[code, default: 0] > 0, "no answer \(code) in the whole simulation")
        }
        #expect(ofEndedCalls.allocations > 0 && ofEndedCalls.refusals > 0, "no call has ended: \(ofEndedCalls)")
        #expect(refusals.quota > 0 && refusals.capacity > 0, "nothing has run out: \(refusals)")
    }
}
