import ArgumentParser

/// Why a command ends without having done its work.
enum CommandFailure: Error {
    /// The configuration is wrong; the exit status is sysexits' EX_CONFIG.
    case configuration(String)
    /// The machine, the database or the network is not as the configuration says.
    case start(String)

    /// Says it in one line on standard error, and gives the exit status.
    func report() -> ExitCode {
        switch self {
        case .configuration(let line):
            StandardStream.error.write("callrelay: \(line)\n")
            return ExitCode(78)
        case .start(let line):
            StandardStream.error.write("callrelay: \(line)\n")
            return ExitCode(1)
        }
    }

    /// Runs a command's body and ends it with the status of whatever went wrong.
    static func reported(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let failure as CommandFailure {
            throw failure.report()
        }
    }
}
