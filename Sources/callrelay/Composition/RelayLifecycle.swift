import Logging
import RelayRuntime
import ServiceLifecycle
import TURNRelay

/// Runs the relay as a service: it serves already when it comes here, and drains when the server stops.
struct RelayLifecycle: Service {
    let relay: RelayService
    /// Finished when the relay has ended, by whatever cause, and nothing more comes of it.
    let notices: RelayNoticeQueue?
    let drainTimeout: Duration
    let alternates: AlternateServers
    let logger: Logger

    func run() async throws {
        defer { notices?.finish() }
        try await withGracefulShutdownHandler {
            try await relay.waitUntilStopped()
        } onGracefulShutdown: {
            Task {
                logger.info("draining the relay", metadata: ["allocations": "\(relay.counters().liveAllocations)"])
                await relay.stop(drainingFor: drainTimeout, alternates: alternates)
            }
        }
    }
}
