import ArgumentParser
import Logging
import ServerConfiguration

/// `callrelay serve`: the server.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the server until SIGTERM or SIGINT.",
        discussion: """
            Without any setting it is a development server on loopback: SQLite in ./data, tokens such as \
            dev:@alice:localhost. Exit status: 0 after a signal, 78 for a wrong configuration, 1 if it cannot start.

            \(ConfigurationOptions.manual)
            """
    )

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        try await CommandFailure.reported {
            let configuration = try options.load()
            LoggingSystem.bootstrap { label in LineLogHandler(label: label, settings: configuration.logging) }
            try await Server(configuration: configuration, logger: Logger(label: "callrelay")).run()
        }
    }
}
