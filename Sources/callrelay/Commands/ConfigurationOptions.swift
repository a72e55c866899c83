import ArgumentParser
import Foundation
import ServerConfiguration

/// The options that every command takes: where the configuration comes from.
struct ConfigurationOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("File with one KEY=VALUE a line.", valueName: "file"))
    var config: String?

    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp("Any setting as a flag: --http-port 3001. See the list below.", valueName: "settings")
    )
    var settings: [String] = []

    /// What `--help` says below the options.
    static let manual = """
        Settings. A flag beats the environment, the environment beats .env in the working directory, .env beats the \
        --config file. An empty value means "none". A secret may also be given as NAME_FILE (--name-file), the path \
        of a file that holds it. Durations need a unit (500ms, 60s, 10m, 24h, 90d); sizes are bytes or 64kB, 256KiB, \
        1MB, 1MiB.

        \(Manual.settings)
        """

    /// Reads all sources and checks them. A failure is one line on standard error, and the command's end.
    func load() throws -> ServerConfiguration {
        do throws(ConfigurationFailure) {
            let sources = ConfigurationSources(
                flags: try CommandLineSettings.parse(settings),
                environment: ProcessInfo.processInfo.environment,
                dotEnv: try Self.settings(inFile: ".env", isRequired: false),
                file: try config.map { path throws(ConfigurationFailure) in
                    try Self.settings(inFile: path, isRequired: true)
                } ?? []
            )
            return try ServerConfiguration(sources) { path in
                try? String(contentsOfFile: path, encoding: .utf8)
            }
        } catch {
            throw CommandFailure.configuration("\(error)")
        }
    }

    private static func settings(inFile path: String, isRequired: Bool) throws(ConfigurationFailure) -> [Setting] {
        if !isRequired, !FileManager.default.fileExists(atPath: path) { return [] }
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw ConfigurationFailure(isRequired ? "--config" : path, "cannot read \"\(path)\"")
        }
        return try KeyValueFile.parse(text, path: path)
    }
}
