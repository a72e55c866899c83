import ArgumentParser
import AsyncHTTPClient
import BenchCore
import BenchSupport
import CallBench
import FoundationEssentials
import NIOPosix
import PacketIO

/// What every load asks for.
struct CommonOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The server, a callrelay in dev mode.", valueName: "http://host:port"))
    var url = "http://127.0.0.1:3000"

    @Option(help: "The server's process, to look at its time and memory.")
    var serverPid: Int?

    @Flag(help: "Print the report as one JSON object, and nothing else.")
    var json = false

    @Flag(help: "The server is not on loopback, and the load is welcome there.")
    var iOwnThisHost = false

    func validate() throws {
        guard let server = ServerURL(url) else { throw ValidationError("--url needs http://HOST:PORT") }
        guard server.isLoopback || iOwnThisHost else {
            throw ValidationError("\(server.host) is not loopback; --i-own-this-host says it is yours to load")
        }
    }

    /// Runs a load and prints its report.
    func report<Report: BenchReport>(_ load: (BenchContext) async throws -> Report) async throws {
        guard let server = ServerURL(url) else { throw ValidationError("--url") }
        PinnedThread.raiseDescriptorLimit()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        let http = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
        let context = BenchContext(
            server: server,
            serverProcess: serverPid,
            status: StatusLine(isSilent: json),
            group: group,
            http: http
        )
        let report: Report
        do {
            report = try await load(context)
        } catch {
            try? await http.shutdown()
            context.status.clear()
            throw CleanFailure("\(error)")
        }
        try await http.shutdown()
        context.status.clear()
        if json {
            try StandardOutput.print(json: report)
        } else {
            print(report.table, terminator: "")
        }
        if !report.void.isEmpty { throw ExitCode(3) }
    }
}

/// What a load works with.
struct BenchContext: Sendable {
    let server: ServerURL
    let serverProcess: Int?
    let status: StatusLine
    let group: MultiThreadedEventLoopGroup
    let http: HTTPClient
    /// Keeps the users of this run apart from those of runs before.
    let run = String(UInt32.random(in: 0...UInt32.max), radix: 36)

    var api: CallAPIClient { CallAPIClient(http: http, server: server) }

    /// The user of this number.
    func user(_ number: Int) -> BenchUser { BenchUser(run: run, number: number) }

    /// A socket of the user.
    func connect(_ user: BenchUser, to other: ServerURL? = nil) async throws -> BenchSocket {
        try await BenchSocket.connect(to: other ?? server, auth: user.auth, on: group)
    }

    /// What the server's and the generator's threads ran so far, in nanoseconds.
    func processorTime() -> (server: UInt64, generator: UInt64) {
        (
            serverProcess.map { Accounting.runNanoseconds(of: $0) } ?? 0,
            Accounting.runNanoseconds(of: Int(ProcessInfo.processInfo.processIdentifier))
        )
    }

    /// Bytes of the server that are in memory; 0 if the process was not named.
    func serverMemory() -> UInt64 { serverProcess.map { Accounting.residentBytes(of: $0) } ?? 0 }

    /// What the server's threads used in `seconds`, by `count` things; nil if the process was not named.
    func serverFigures(nanoseconds: UInt64, seconds: Double, count: UInt64) -> ServerFigures? {
        serverProcess.map { process in
            ServerFigures(
                pid: process,
                cpuSeconds: Double(nanoseconds) / 1e9,
                seconds: seconds,
                count: count,
                memoryBytes: serverMemory()
            )
        }
    }
}
