import ArgumentParser
import Foundation
import STUNServer
import ServerConfiguration

/// `callrelay credentials`: a TURN credential for another program, or for a look at the relay by hand.
struct CredentialsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credentials",
        abstract: "Print a TURN username and password made from the shared secret.",
        discussion: ConfigurationOptions.manual
    )

    @Option(name: .long, help: "Whose credential it is: what follows the expiry in the username.")
    var user: String

    @Option(
        name: .long,
        help: ArgumentHelp("How long it is good; TURN_CREDENTIAL_TTL if absent.", valueName: "seconds")
    )
    var ttl: Int?

    @OptionGroup var options: ConfigurationOptions

    func validate() throws {
        guard let user = OpaqueString.prepare(user), user.utf8.count <= 255 else {
            throw ValidationError("--user needs a name of 1 to 255 bytes of printable characters")
        }
        guard ttl.map({ (1...315_360_000).contains($0) }) ?? true else {
            throw ValidationError("--ttl needs a number of seconds between 1 and 315360000")
        }
    }

    func run() async throws {
        try await CommandFailure.reported {
            let configuration = try options.load()
            guard let turn = configuration.turn, let secret = try SharedSecrets.texts(of: turn).first else {
                throw CommandFailure.configuration("TURN_SHARED_SECRET: is needed to make a credential")
            }
            let lifetime = ttl ?? Int(configuration.credentialLifetime.components.seconds)
            let expiry = UInt64(Date.now.timeIntervalSince1970) + UInt64(lifetime)
            let name = OpaqueString.prepare(user) ?? user
            let credential = TimeLimitedCredential.mint(secret: SharedSecret(secret), expiry: expiry, name: name)
            StandardStream.output.write("username: \(credential.username)\npassword: \(credential.password)\n")
        }
    }
}
