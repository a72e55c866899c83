import HTTPTypes
import Hummingbird
public import Logging
import NIOCore
public import ServiceLifecycle

/// Serves `GET /metrics` on an address of its own, as long as the server runs.
public struct MetricsEndpoint: Service {
    private let host: String
    private let port: UInt16
    private let collect: @Sendable () -> [MetricFamily]
    private let logger: Logger

    /// An endpoint that asks `collect` for each request.
    public init(
        host: String,
        port: UInt16,
        logger: Logger,
        collect: @escaping @Sendable () -> [MetricFamily]
    ) {
        self.host = host
        self.port = port
        self.logger = logger
        self.collect = collect
    }

    /// Serves until the service group shuts down.
    public func run() async throws {
        let router = Router()
        router.get("/metrics") { [collect] _, _ in
            Response(
                status: .ok,
                headers: [.contentType: PrometheusText.contentType, .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: PrometheusText.text(of: collect())))
            )
        }
        // Its own start and stop are no news beside those of the server.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: Int(port)),
                serverName: nil
            ),
            logger: quiet
        )
        try await application.run()
    }
}
