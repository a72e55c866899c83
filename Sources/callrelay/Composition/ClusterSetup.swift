import CallModel
import CallService
import Cluster
import Logging
import PacketIO
import Redis
import ServerConfiguration
import ServiceLifecycle
import SocketIO

/// This server among others: its name in the store, its link to Redis if there is one, and a look now and then at what neither of
/// them told.
struct ClusterLifecycle: Service {
    let keeper: NodeKeeper
    let calls: CallService
    let redis: RedisCluster?
    let isMember: Bool

    /// Between two looks at everything, if Redis gives hints, and if it does not.
    private static let interval = (hinted: Duration.seconds(5), unhinted: Duration.seconds(1))

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await keeper.run() }
                if isMember { group.addTask { await lookForever() } }
            }
        }
        await redis?.close()
        // The last of its sockets has gone by now. Whoever shares the store would find that out by itself.
        try? await keeper.leave()
    }

    private func lookForever() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: redis?.isConnected == true ? Self.interval.hinted : Self.interval.unhinted)
            } catch {
                return
            }
            // Logged by the service; the next look is soon.
            try? await calls.catchUpAll()
        }
    }
}

extension RedisCluster.Report {
    /// One log line.
    func log(to logger: Logger) {
        switch self {
        case .connected: logger.notice("Redis is there: other nodes are heard of at once")
        case .away(let reason):
            logger.warning(
                "Redis is away: other nodes are heard of by way of the database",
                metadata: ["reason": "\(reason)"]
            )
        case .unreadable(let failure):
            logger.debug("a message on Redis cannot be read", metadata: ["reason": "\(failure)"])
        }
    }
}

/// Names that no other node has.
enum NodeName {
    /// As many random characters, letters and digits.
    static func random(_ count: Int) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        var generator = SystemRandomNumberGenerator()
        return String((0..<count).map { _ in alphabet.randomElement(using: &generator) ?? "0" })
    }
}
