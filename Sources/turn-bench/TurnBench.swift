import ArgumentParser

/// The load generator and the forwarder beside it.
@main
struct TurnBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "turn-bench",
        abstract: "Load a TURN server and say what its packets cost and how long they take.",
        subcommands: [LoadCommand.self, FloorCommand.self],
        defaultSubcommand: LoadCommand.self
    )
}
