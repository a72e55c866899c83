import ArgumentParser

/// The server and the commands around it.
@main
struct CallRelay: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "callrelay",
        abstract: "Voice and video calls: call API, Socket.IO signaling, STUN and TURN in one server.",
        version: "callrelay \(version)",
        subcommands: [
            ServeCommand.self, MigrateCommand.self, CredentialsCommand.self, MatrixRegistrationCommand.self,
        ]
    )
}
