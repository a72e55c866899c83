import ArgumentParser
import AsyncHTTPClient
import BenchSupport
import CallBench
import NIOCore
import NIOPosix
import NetPrimitives

/// What carries an idle connection.
enum IdleTransport: String, ExpressibleByArgument, CaseIterable, Sendable {
    case websocket
    case polling
}

/// `call-bench idle`: connections that do nothing.
struct IdleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "idle",
        abstract: "Connect many clients, let them idle, and say what each takes of the server's memory.",
        discussion: """
            Before the memory is looked at for the first time, some clients connect and leave, so that what the server \
            takes once is not counted. Clients answer heartbeats. Needs --server-pid.
            """
    )

    @OptionGroup var common: CommonOptions

    @Option(help: "Clients.")
    var connections = 5_000

    @Option(help: "websocket or polling.")
    var transport = IdleTransport.websocket

    @Option(help: "Seconds to idle before the memory is looked at.")
    var duration = 10.0

    func validate() throws {
        guard common.serverPid != nil else { throw ValidationError("--server-pid is needed") }
        guard (1...100_000).contains(connections) else { throw ValidationError("--connections must be 1 to 100000") }
        guard duration > 0, duration <= 3_600 else {
            throw ValidationError("--duration must be above 0 and at most 3600")
        }
    }

    func run() async throws {
        switch transport {
        case .websocket: try await common.report(webSockets)
        case .polling: try await common.report { try await polling($0) }
        }
    }

    private func webSockets(_ context: BenchContext) async throws -> IdleReport {
        let warm = try await Crowd.gather(100, status: context.status, saying: "warming up") {
            try await context.connect(context.user($0))
        }
        for socket in warm { socket.cut() }
        try await Task.sleep(for: .seconds(2))
        let before = context.serverMemory()
        let started = EventLoad.now()
        let sockets = try await Crowd.gather(connections, status: context.status, saying: "connected") {
            try await context.connect(context.user($0))
        }
        let seconds = Double(EventLoad.now().nanoseconds - started.nanoseconds) / 1e9
        let report = try await look(context, before: before, connectSeconds: seconds)
        guard sockets.allSatisfy(\.channel.isActive) else { throw CallBenchFailure("connections were lost while idle") }
        for socket in sockets { socket.cut() }
        return report
    }

    private func polling(_ context: BenchContext) async throws -> IdleReport {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 2 * connections + 200
        let http = HTTPClient(eventLoopGroupProvider: .shared(context.group), configuration: configuration)
        do {
            let report = try await polling(context, http)
            try await http.shutdown()
            return report
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    private func polling(_ context: BenchContext, _ http: HTTPClient) async throws -> IdleReport {
        _ = try await Crowd.gather(100, status: context.status, saying: "warming up") {
            try await PollingClient.connect(context, context.user(1_000_000 + $0), http: http)
        }
        try await Task.sleep(for: .seconds(2))
        let before = context.serverMemory()
        let started = EventLoad.now()
        let clients = try await Crowd.gather(connections, status: context.status, saying: "connected") {
            try await PollingClient.connect(context, context.user($0), http: http)
        }
        let seconds = Double(EventLoad.now().nanoseconds - started.nanoseconds) / 1e9
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for client in clients { group.addTask { try await client.stay() } }
            let report = try await look(context, before: before, connectSeconds: seconds)
            group.cancelAll()
            // The polls that were given up.
            while let result = await group.nextResult() { _ = result }
            return report
        }
    }

    private func look(_ context: BenchContext, before: UInt64, connectSeconds: Double) async throws -> IdleReport {
        context.status.show("\(connections) connected, idling")
        try await Task.sleep(for: .seconds(2))
        let start = context.processorTime().server
        try await Task.sleep(for: .seconds(duration))
        let ran = Double(context.processorTime().server - start) / 1000
        return IdleReport(
            target: context.server.base,
            transport: transport.rawValue,
            connections: connections,
            connectSeconds: connectSeconds,
            memoryBytesBefore: before,
            memoryBytesAfter: context.serverMemory(),
            idleCPUMicrosecondsEachSecond: ran / duration / Double(connections)
        )
    }
}
