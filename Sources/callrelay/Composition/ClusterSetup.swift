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
    let hub: Hub
    let calls: CallService
    let redis: RedisCluster?
    /// What this node is to others now.
    let own: @Sendable () -> ClusterNode

    /// Between two looks at everything, if Redis gives hints, and if it does not.
    private static let interval = (hinted: Duration.seconds(5), unhinted: Duration.seconds(1))

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await keeper.run() }
                guard let redis else { return }
                group.addTask { await lookForever(redis) }
                group.addTask { await exchangeForever(redis) }
            }
        }
        await redis?.leave(keeper.node)
        await redis?.close()
        // The last of its sockets has gone by now. Whoever shares the store would find that out by itself.
        try? await keeper.leave()
    }

    private func lookForever(_ redis: RedisCluster) async {
        while await Self.rest(redis.isConnected ? Self.interval.hinted : Self.interval.unhinted) {
            // Logged by the service; the next look is soon.
            try? await calls.catchUpAll()
        }
    }

    /// Tells of this node and hears of the others; whoever was told of a relay that goes is told of another.
    private func exchangeForever(_ redis: RedisCluster) async {
        var known: Set<String> = []
        repeat {
            let isWell = keeper.isWell
            await redis.exchange(own().ready(isWell))
            // Others took this node for dead, and its sockets can go on with them. If nobody reaches the store, nobody helps.
            if !isWell, redis.others.contains(where: { $0.isReady && !$0.isDraining }) { hub.closeAll() }
            let able = Set(redis.others.filter { !$0.turn.isEmpty && !$0.isDraining }.map(\.id))
            if !known.isSubset(of: able) { await calls.renewAllCredentials() }
            known = able
        } while await Self.rest(NodeKeeper.interval)
    }

    /// False at the end of the service.
    private static func rest(_ duration: Duration) async -> Bool {
        do {
            try await Task.sleep(for: duration)
            return true
        } catch {
            return false
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
