public import NetPrimitives
import PacketIO
import STUNServer
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
        /// The addresses to tell clients, at most one a family.
        public let advertised: [IPAddress]
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
        PinnedThread.raiseDescriptorLimit()
        let (endpoints, warnings) = try configuration.resolveListeners()
        let workers = configuration.workers ?? min(PinnedThread.allowedProcessorCount, RelayService.workerLimit)
        guard workers >= 1, workers <= RelayService.workerLimit else { throw .workerCount(workers) }
        let listeners = try Listener.bindAll(endpoints, shards: workers)
        let plan = try configuration.planRelays(of: endpoints.map(\.address))
        let registry = SharedRegistry(configuration.registry)
        var random = SystemRandomNumberGenerator()
        let nonceKey = NonceKey(using: &random)
        do throws(SystemError) {
            for index in 0..<workers {
                let start = ShardStart(
                    index: index,
                    seat: ListenerSeat(listeners[index]),
                    configuration: configuration.core(plan, shards: workers),
                    credentials: configuration.credentials,
                    nonceKey: nonceKey,
                    registry: registry,
                    mailbox: try Mailbox(),
                    counters: ShardCounters(),
                    notify: notify
                )
                shards.withLock { $0.append(ShardHandle(mailbox: start.mailbox, counters: start.counters)) }
                try launch(start)
            }
        } catch {
            end(within: .zero)
            throw .system(error)
        }
        // A shard that failed told those to end that were there then.
        if group.failure != nil { end(within: .zero) }
        return Summary(
            listeners: listeners[0].map { $0.socket.endpoint },
            advertised: plan.advertised,
            warnings: warnings + plan.warnings,
            workers: workers
        )
    }

    private func launch(_ start: ShardStart) throws(SystemError) {
        group.shardStarted()
        do throws(SystemError) {
            try PinnedThread.start(name: "turn-shard-\(start.index)", processor: UInt32(start.index)) { [self] in
                // By the time this is known, the shard's sockets are closed.
                let failure = start.serve()
                group.shardEnded(failure)
                if failure != nil { end(within: .zero) }
            }
        } catch {
            group.shardEnded(nil)
            throw error
        }
    }

    /// Tells all shards to take nothing new and to end when they are empty, or after `duration`.
    private func end(within duration: Duration) {
        let nanoseconds = max(0, duration / .nanoseconds(1))
        let deadline = SystemClock.now().nanoseconds &+ UInt64(min(nanoseconds, 1e18))
        for shard in shards.withLock({ $0 }) {
            shard.mailbox.drain(deadlineNanoseconds: deadline)
        }
    }

    /// Returns when all shards have ended: after `stop`, or with an error if one failed on its own (the others are
    /// then told to end at once). Cancelling the waiting task ends them at once too.
    public func waitUntilStopped() async throws(RelayFailure) {
        await withTaskCancellationHandler {
            await group.wait()
        } onCancel: {
            end(within: .zero)
        }
        if let failure = group.failure { throw failure }
    }

    /// Refuses new allocations (508) and waits until the last one is gone, at most `duration`; then ends all shards.
    /// Returns when they have ended.
    public func stop(drainingFor duration: Duration) async {
        end(within: duration)
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
