import Locking
public import NetPrimitives
import PacketIO
import STUNServer
public import TURNRelay

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
    private let shards = Locked<[ShardHandle]>([])

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
        var random = SystemRandomNumberGenerator()
        let nonceKey = NonceKey(using: &random)
        try configuration.checkRealm(nonceKey)
        PinnedThread.raiseDescriptorLimit()
        let (endpoints, warnings) = try configuration.resolveListeners()
        let workers = configuration.workers ?? min(PinnedThread.allowedProcessorCount, RelayService.workerLimit)
        guard workers >= 1, workers <= RelayService.workerLimit else { throw .workerCount(workers) }
        let listeners = try Listener.bindAll(endpoints, shards: workers)
        let plan = try configuration.planRelays(of: endpoints.map(\.address))
        let registry = SharedRegistry(configuration.registry)
        let live = LiveRelayPorts(plan.ownRelays)
        let bound = listeners[0].map { $0.socket.endpoint }
        let total = configuration.bandwidth.total
        let budget = total > 0 ? BandwidthBudget(bytesPerSecond: total) : nil
        let (icmpSources, icmpWarnings) = ICMPSource.open(plan.relayFamilies)
        let directory = RelayDirectory()
        do throws(SystemError) {
            let mailboxes = try (0..<workers).map { _ throws(SystemError) in try Mailbox() }
            for index in 0..<workers {
                let start = ShardStart(
                    index: index,
                    seat: Seat(listeners[index]),
                    icmpSeat: Seat(index == 0 ? icmpSources : []),
                    configuration: configuration.core(plan, shards: workers, listeningOn: bound, live: live),
                    credentials: configuration.credentials,
                    nonceKey: nonceKey,
                    registry: registry,
                    bandwidth: configuration.bandwidth,
                    budget: budget,
                    directory: directory,
                    mailboxes: mailboxes,
                    endedCalls: configuration.endedCalls,
                    counters: ShardCounters(),
                    batchCapacity: configuration.batchCapacity,
                    notify: notify
                )
                shards.withLock { $0.append(ShardHandle(mailbox: mailboxes[index], counters: start.counters)) }
                try launch(start)
            }
        } catch {
            end(within: .zero)
            throw .system(error)
        }
        // A shard that failed told those to end that were there then.
        if group.failure != nil { end(within: .zero) }
        return Summary(
            listeners: bound,
            advertised: plan.advertised,
            warnings: warnings + plan.warnings + configuration.warnings(plan) + icmpWarnings
                + Listener.warnings(listeners),
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
    private func end(within duration: Duration, alternates: AlternateServers = AlternateServers()) {
        let nanoseconds = max(0, duration / .nanoseconds(1))
        let deadline = SystemClock.now().nanoseconds &+ UInt64(min(nanoseconds, 1e18))
        for shard in shards.withLock({ $0 }) {
            shard.mailbox.drain(deadlineNanoseconds: deadline, alternates: alternates)
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

    /// Has all shards end the allocations of a call that is over, and refuse credentials that name it for as long as they
    /// may be good. Returns at once, before the shards have done it; false if more calls than may wait do so for a shard,
    /// which then never hears of this one: it has stopped, or is far too busy.
    public func endAllocations(ofCall call: EndedCall) -> Bool {
        var isTaken = true
        for shard in shards.withLock({ $0 }) where !shard.mailbox.endCall(call) { isTaken = false }
        return isTaken
    }

    /// Refuses new allocations and waits until the last one is gone, at most `duration`; then ends the remaining ones and
    /// all shards. Returns when they have ended.
    ///
    /// Who asks for an allocation meanwhile is sent to one of `alternates` (300), or refused (508) if none is of the
    /// family that the client came by.
    public func stop(drainingFor duration: Duration, alternates: AlternateServers = AlternateServers()) async {
        end(within: duration, alternates: alternates)
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
