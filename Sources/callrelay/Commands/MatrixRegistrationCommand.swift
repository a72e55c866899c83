import ArgumentParser
import Matrix
import ServerConfiguration

/// `callrelay matrix-registration`: what the homeserver has to know of this server as its application service.
struct MatrixRegistrationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "matrix-registration",
        abstract: "Print a registration of this server as an application service of the homeserver.",
        discussion: """
            With it the server acts in the names of the homeserver's users without their tokens, and hears at once who \
            leaves a room. The file holds secrets that are as good as every local user's account. \
            Save it where the homeserver reads it, name it in app_service_config_files of homeserver.yaml, and restart the \
            homeserver.

            """ + ConfigurationOptions.manual
    )

    @Option(
        name: .long,
        help: "Where the homeserver reaches this server; http://HTTP_HOST:HTTP_PORT if absent."
    )
    var url: String?

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        try await CommandFailure.reported {
            let configuration = try options.load()
            guard let matrix = configuration.matrix else {
                throw CommandFailure.configuration("MATRIX_HOMESERVER_URL: is needed to know whose registration it is")
            }
            let tokens = matrix.appService
            let registration = AppServiceRegistration(
                url: url ?? configuration.http.url(port: Int(configuration.http.port)),
                serverName: matrix.serverName,
                ownToken: tokens?.own ?? SharedSecrets.drawn(),
                homeserversToken: tokens?.homeservers ?? SharedSecrets.drawn()
            )
            StandardStream.output.write(registration.yaml)
            guard tokens == nil else { return }
            StandardStream.error.write(
                """
                The tokens were made for this registration. Give this server the same:
                MATRIX_AS_TOKEN=\(registration.ownToken)
                MATRIX_HS_TOKEN=\(registration.homeserversToken)

                """
            )
        }
    }
}
