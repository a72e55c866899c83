import ArgumentParser
import CallStore
import ServerConfiguration

/// `callrelay migrate`: brings the database to the schema of this build.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Apply pending migrations to DATABASE_URL.",
        discussion: ConfigurationOptions.manual
    )

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        try await CommandFailure.reported {
            let configuration = try options.load()
            let applied = try await StoreOpening.migrate(configuration.database)
            if applied.isEmpty {
                StandardStream.output.write("\(configuration.database.path): nothing to do\n")
            } else {
                for name in applied { StandardStream.output.write("\(configuration.database.path): applied \(name)\n") }
            }
        }
    }
}
