import ArgumentParser
import BenchSupport
import NetPrimitives
import PacketIO

/// `turn-bench floor`: the bare forwarder.
struct FloorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "floor",
        abstract: "Forward packets without any protocol: what a relay on this machine cannot do without.",
        discussion: """
            Reads up to 64 datagrams in one call from its port and sends each by a socket of its own; reads one datagram \
            from each of those sockets that has one, and sends all that came in a pass in one call. What comes is not \
            looked at but for the number of the flow in its first four bytes. Load it with --server floor:HOST:PORT. \
            It forwards for anybody: loopback only.
            """
    )

    @Option(help: ArgumentHelp("The loopback address and port to listen on.", valueName: "ip:port"))
    var listen = "127.0.0.1:3479"

    @Option(help: "Flows that it can hold, each with a socket of its own.")
    var sockets = 200

    func run() throws {
        guard let endpoint = try? Endpoint(parsing: listen), endpoint.address.isLoopback else {
            throw ValidationError("--listen needs a loopback address and a port, as in 127.0.0.1:3479")
        }
        guard (1...1_000_000).contains(sockets) else { throw ValidationError("--sockets must be 1 to 1000000") }
        PinnedThread.raiseDescriptorLimit()
        var floor = try Floor(listening: endpoint, flowLimit: sockets)
        print("listening on \(floor.endpoint)")
        StandardOutput.flush()
        try floor.run()
    }
}
