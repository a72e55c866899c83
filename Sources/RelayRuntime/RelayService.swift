public import NetPrimitives
import PacketIO
import Synchronization
import TURNRelay

/// The STUN and TURN server: shards, each a pinned thread with its own sockets, state and packet loop.
///
/// ```
/// let relay = RelayService(configuration)
/// let summary = try relay.start()        // binds everything or throws; serves from here on
/// ...
/// await relay.stop(drainingFor: .seconds(30))
/// ```
public final class RelayService: Sendable {
    /// More shards than this are a mistake.
    public static let workerLimit = 256

    /// What came out of the start.
    public struct Summary: Sendable {
        /// Where clients are listened to, with the ports in force.
        public let listeners: [Endpoint]
        /// What is missing but does not keep the relay from working, in words for the operator.
        public let warnings: [String]
        /// Shards that serve.
        public let workers: Int
    }

    private let configuration: RelayConfiguration
    private let group = ShardGroup()
    private let notify: @Sendable (RelayNotice) -> Void
    private let shards = Mutex<[ShardHandle]>([])

    /// Prepares a relay; nothing is bound before `start`.
    ///
    /// - Parameter notify: called on a shard's thread when allocations open and close; must return at once.
    public init(
        _ configuration: RelayConfiguration,
        notify: @escaping @Sendable (RelayNotice) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.notify = notify
    }

    /// Binds all listeners of all shards, then starts the threads. When it returns, the relay serves.
    ///
    /// Raises the process's descriptor limit to the hard one first. A relay is started once.
    public func start() throws(RelayStartFailure) -> Summary {
        guard group.claimStart() else { throw .alreadyStarted }
        throw .nothingToListenOn
    }

    /// Returns when all shards have ended: after `stop`, or with an error if one failed on its own (the others are
    /// then told to end at once).
    public func waitUntilStopped() async throws(RelayFailure) {
        await group.wait()
        if let failure = group.failure { throw failure }
    }

    /// Refuses new allocations (508) and waits until the last one is gone, at most `duration`; then ends all shards.
    /// Returns when they have ended.
    public func stop(drainingFor duration: Duration) async {
        await group.wait()
    }

    /// What all shards have done since the start.
    public func counters() -> RelayCounters {
        counters(ofShards: shards.withLock { $0 })
    }

    /// What each shard has done since the start.
    public func countersByShard() -> [RelayCounters] {
        shards.withLock { $0 }.map { $0.counters.snapshot() }
    }

    private func counters(ofShards shards: [ShardHandle]) -> RelayCounters {
        shards.reduce(ShardCounters().snapshot()) { $0 + $1.counters.snapshot() }
    }
}

/// What the outside keeps of a shard.
struct ShardHandle: Sendable {
    let mailbox: Mailbox
    let counters: ShardCounters
}
