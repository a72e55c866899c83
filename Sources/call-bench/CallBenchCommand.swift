import ArgumentParser

/// The load generator for calls and signaling.
@main
struct CallBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call-bench",
        abstract:
            "Load the call API and signaling and say what calls, events and connections cost and how long they take.",
        discussion: """
            The server runs in dev mode, on loopback, with limits that do not stand in the way:

              CALL_INITIATE_RATE= SOCKET_EVENT_RATE= callrelay serve &
              call-bench events --rate 2000 --server-pid $!
            """,
        subcommands: [
            CallsCommand.self, EventsCommand.self, IdleCommand.self, StormCommand.self, SlowReaderCommand.self,
        ]
    )
}
