import ArgumentParser
import BenchSupport

/// `scale-simulation`: what a load needs, and what becomes of its relays.
@main
struct ScaleSimulation: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale-simulation",
        abstract: "Size a deployment of up to a million concurrent calls, and play its relays in virtual time.",
        discussion: """
            The sizes are arithmetic: what the benchmarks measured (--part costs), times the load. Of the relays that \
            come out of it, six minutes are played call by call with the server's own rule for which two a call is told \
            of, by loads that are seconds old: how unevenly they are used, and what happens when the busiest dies. As \
            many kinds of the rule as --sample is given for are compared; 0 looks at all relays and takes the least \
            loaded, 1 at two drawn at random. A million calls take a minute for each.

              scale-simulation
              scale-simulation --calls 50000 --relayed 0.5 --hold-seconds 600 --json
            """
    )

    @Option(help: ArgumentHelp("Calls that are on at the same time; repeat it for several loads.", valueName: "count"))
    var calls = [1_000, 10_000, 100_000, 1_000_000]

    @Option(help: "Seconds that an answered call lasts on average.")
    var holdSeconds = 180.0

    @Option(help: "Part of all calls that is answered.")
    var answered = 0.7

    @Option(help: "Part of the answered calls whose media has to be relayed.")
    var relayed = 0.2

    @Option(help: "Part of the answered calls that has pictures.")
    var video = 0.5

    @Option(help: "Connected sockets for each call that is on.")
    var socketsPerCall = 20.0

    @Option(
        help: ArgumentHelp("Relays that are looked at for a call; repeat it to compare. 0 is all.", valueName: "count")
    )
    var sample = [0, 2, 4, 8]

    @Option(help: "Which calls come when.")
    var seed: UInt64 = 1

    @Option(help: "Print one table alone.")
    var part: ScaleReport.Part?

    @Flag(help: "Print the figures as one JSON object, and nothing else.")
    var json = false

    func validate() throws {
        guard calls.allSatisfy({ (10...2_000_000).contains($0) }) else {
            throw ValidationError("--calls must be 10 to 2000000")
        }
        guard (1...86_400).contains(holdSeconds) else { throw ValidationError("--hold-seconds must be 1 to 86400") }
        guard (0.01...1).contains(answered) else { throw ValidationError("--answered must be 0.01 to 1") }
        for (part, name) in [(relayed, "--relayed"), (video, "--video")] where !(0...1).contains(part) {
            throw ValidationError("\(name) must be 0 to 1")
        }
        guard (2...10_000).contains(socketsPerCall) else {
            throw ValidationError("--sockets-per-call must be 2 to 10000")
        }
        guard sample.allSatisfy({ (0...1_000).contains($0) }) else {
            throw ValidationError("--sample must be 0 to 1000")
        }
    }

    func run() throws {
        if part == .costs { return print(MeasuredCosts.table, terminator: "") }
        let status = StatusLine(isSilent: json)
        let loads = calls.map { calls in
            var traffic = Traffic(calls: calls)
            traffic.holdSeconds = holdSeconds
            traffic.answeredShare = answered
            traffic.relayedShare = relayed
            traffic.videoShare = video
            traffic.socketsPerCall = socketsPerCall
            let sizes = Sizes(traffic: traffic)
            let fleets = (part == .sizes ? [] : sample).map { sample in
                status.show("\(calls) calls, \(sizes.relays) relays, sample \(sample)")
                var simulation = FleetSimulation(
                    traffic,
                    relays: sizes.relays,
                    ports: Int(Sizes.portsPerRelay),
                    // Less than two cannot be told.
                    sample: sample == 0 ? .max : max(sample, RelayFleet.relaysPerCall),
                    seed: seed
                )
                let figures = simulation.play { second, total in
                    if second > 0, second % 120 == 0 {
                        status.show("\(calls) calls, sample \(sample): second \(second) of \(total)")
                    }
                }
                return ScaleReport.Fleet(sample: sample, figures: figures)
            }
            return ScaleReport.Load(sizes: sizes, fleets: fleets)
        }
        status.clear()
        let report = ScaleReport(loads: loads)
        if json {
            try StandardOutput.print(json: report)
        } else {
            print(report.markdown(part), terminator: "")
        }
    }
}
