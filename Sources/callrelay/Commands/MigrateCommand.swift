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
            let database = StoreOpening.name(of: configuration.database.location)
            if applied.isEmpty {
                StandardStream.output.write("\(database): nothing to do\n")
            } else {
                for name in applied { StandardStream.output.write("\(database): applied \(name)\n") }
            }
        }
    }
}
