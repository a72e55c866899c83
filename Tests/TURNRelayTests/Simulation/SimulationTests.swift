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
        var isDrained = false
        try checkProperty("simulation of \(clients) clients", iterations: seeds) { generator in
            let world = try SimulatedWorld(seed: generator.next(), clients: clients, actionsPerClient: 24)
            try world.run()
            if isDrained { try world.closeAll() } else { try world.expireAll() }
            isDrained.toggle()
            try world.checkEmpty()
            answers.merge(world.oracle.answers, uniquingKeysWith: +)
            relayed += world.oracle.relayedCount
            refusals.quota += world.relay.quotaRefusals
            refusals.capacity += world.relay.capacityRefusals
        }
        let codes = answers.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        print("simulation: \(seeds) seeds, relayed \(relayed) datagrams, answers by code \(codes)")
        #expect(relayed > 2 * clients, "a simulation that relays nothing shows nothing")
        for code: UInt16 in [0, 401, 403, 437, 438, 441, 443, 486, 508] {
            #expect(answers[code, default: 0] > 0, "no answer \(code) in the whole simulation")
        }
        #expect(refusals.quota > 0 && refusals.capacity > 0, "nothing has run out: \(refusals)")
    }
}
