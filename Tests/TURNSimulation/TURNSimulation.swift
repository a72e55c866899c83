import ArgumentParser
import BenchSupport

/// `turn-simulation`: what look-ups and sweeps cost in a relay with very many allocations.
@main
struct TURNSimulation: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "turn-simulation",
        abstract: "Measure the relay's core with up to millions of allocations, without sockets.",
        discussion: """
            Fills one shard with allocations by real Allocate and ChannelBind requests, each of a client with an address, \
            a credential and a peer of its own; only relay sockets are opened in name alone. Then routes data of clients \
            and peers drawn at random, sweeps through all allocations while nothing has expired, and once more when all \
            of it has. A verdict that does not relay to the right place ends the run with a failure. Times are of this \
            thread on its processor; pin it (taskset). A million allocations take about two minutes and 3 GiB. Several \
            simulations of one run share a process: the later ones find a used heap, in which an allocation's parts lie \
            further apart, and sweeps take longer.

              taskset -c 1 turn-simulation
              turn-simulation --allocations 50000 --allocations 500000 --json
            """
    )

    @Option(help: ArgumentHelp("Allocations in the shard; repeat it for several simulations.", valueName: "count"))
    var allocations = [1_000, 10_000, 100_000, 1_000_000]

    @Option(help: "Look-ups of each kind, at least; rounded up so that all allocations are looked up as often.")
    var lookups = 2_000_000

    @Flag(help: "Print the figures as one JSON object, and nothing else.")
    var json = false

    func validate() throws {
        guard allocations.allSatisfy({ (1...10_000_000).contains($0) }) else {
            throw ValidationError("--allocations must be 1 to 10000000")
        }
        guard (1...100_000_000).contains(lookups) else { throw ValidationError("--lookups must be 1 to 100000000") }
    }

    func run() throws {
        let status = PacedStatus(isSilent: json)
        // What a process sets up once, the first of the simulations would be charged with.
        _ = try Simulation(allocations: 1_000, lookups: 1, status: PacedStatus(isSilent: true)).run()
        let simulations = try allocations.map { count in
            try Simulation(allocations: count, lookups: lookups, status: status).run()
        }
        status.clear()
        let report = SimulationReport(simulations: simulations)
        if json {
            try StandardOutput.print(json: report)
        } else {
            print(report.table, terminator: "")
        }
    }
}
