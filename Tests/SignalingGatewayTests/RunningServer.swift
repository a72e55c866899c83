import Hummingbird
import Logging
import SignalingGateway
import SocketIO

/// Runs a server on a free port for as long as `body` takes.
func withServer(
    _ application: ScriptedApplication,
    configure: (inout GatewayConfiguration) -> Void = { _ in },
    _ body: @Sendable (RawClient, SocketGateway) async throws -> Void
) async throws {
    var configuration = GatewayConfiguration()
    // These clients answer no pings, and may have to wait for their turn among all the other tests.
    configuration.engine.pingInterval = .seconds(3_600)
    configuration.sockets.connectTimeout = .seconds(3_600)
    configure(&configuration)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let gateway = SocketGateway(application: application, configuration: configuration, logger: logger)
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let router = Router()
    router.get("hello") { _, _ in "from the router" }
    router.post("hello") { request, _ in "\(try await request.body.collect(upTo: 1_000).readableBytes) bytes" }
    let server = Application(
        router: router,
        server: gateway.server(),
        configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in
            continuation.yield(channel.localAddress?.port ?? 0)
        },
        logger: logger
    )
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        var iterator = ports.makeAsyncIterator()
        if let port = await iterator.next() {
            try await body(RawClient(port: port), gateway)
        }
        await gateway.shutDown()
        group.cancelAll()
    }
}
