import ArgumentParser
import Hummingbird
import Logging
import NIOPosix
import SignalingGateway
import SocketIO

/// A Socket.IO server that says back what it hears: the counterpart of the protocol's test suites.
@main
struct SocketIOEcho: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "socketio-echo",
        abstract: "A Socket.IO server for tests: echoes what it is told."
    )

    @Option(help: "The TCP port to listen on; 0 for any free one.")
    var port = 3000

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "Milliseconds from one answered ping to the next.")
    var pingIntervalMs = 25_000

    @Option(help: "Milliseconds that a client may take to answer a ping.")
    var pingTimeoutMs = 20_000

    @Option(help: "Milliseconds that a client may take to enter a namespace.")
    var connectTimeoutMs = 45_000

    @Option(help: "Bytes of one message or body.")
    var maxPayload = 1_000_000

    @Option(
        help: """
            Event loops to spread connections over. With one, what arrives first is taken first, also from two \
            connections, as the official suites assume.
            """
    )
    var eventLoops = 1

    @Flag(help: "Serve bare Engine.IO on /engine.io/ instead.")
    var engine = false

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port is no port") }
        guard pingIntervalMs > 0, pingTimeoutMs > 0, connectTimeoutMs > 0 else {
            throw ValidationError("times must be more than 0")
        }
        guard (1...64).contains(eventLoops) else { throw ValidationError("--event-loops must be 1 to 64") }
        guard maxPayload > 0 else { throw ValidationError("--max-payload must be more than 0") }
    }

    func run() async throws {
        var logger = Logger(label: "socketio-echo")
        logger.logLevel = .notice
        let gateway = makeGateway(logger: logger)
        let application = Application(
            router: Router(),
            server: gateway.server(),
            configuration: .init(address: .hostname(host, port: port), serverName: nil),
            onServerRunning: { channel in
                print("listening on port \(channel.localAddress?.port ?? 0)")
                flushStandardOutput()
            },
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup(numberOfThreads: eventLoops)),
            logger: logger
        )
        try await application.runService()
    }

    private func makeGateway(logger: Logger) -> SocketGateway {
        var configuration = GatewayConfiguration()
        configuration.cors = CORSPolicy(origins: .any)
        configuration.engine.pingInterval = .milliseconds(pingIntervalMs)
        configuration.engine.pingTimeout = .milliseconds(pingTimeoutMs)
        configuration.engine.maximumPayload = maxPayload
        configuration.sockets.connectTimeout = .milliseconds(connectTimeoutMs)
        guard engine else {
            return SocketGateway(application: EchoApplication(), configuration: configuration, logger: logger)
        }
        configuration.path = "/engine.io/"
        return SocketGateway(configuration: configuration, logger: logger) { [$0] }
    }
}
