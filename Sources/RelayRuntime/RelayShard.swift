import NetPrimitives
import PacketIO
import TURNRelay

/// One shard: the TURN state of its clients, their sockets, and the buffers of its packet loop. A local variable of
/// its thread, reached by nobody else; nothing in it is shared but what stands under "shared" below.
struct RelayShard: ~Copyable {
    /// Sizes of the loop's buffers and bounds of one pass.
    enum Bounds {
        /// Sockets one wait can report.
        static let events = 512
        /// Receive slots.
        static let slots = 256
        /// What a slot has room for: all that the kernel joins into one message.
        static let slotBytes = 65536
        /// The largest datagram that is taken in: more than any path carries in one piece.
        static let datagramBytes = 16384
        /// Messages read in one call, each one datagram or up to 64 that the kernel joined.
        static let receive = 64
        /// With so many datagrams of one listener a pass leaves the rest to the next, so that peers are heard too.
        static let datagramsPerListener = 256
        /// Messages read from one relay socket in one pass.
        static let relayBurst: UInt8 = 16
        /// ICMP errors heard in one pass, over either family.
        static let icmpBurst = 32
        /// Bytes of copied replies that wait for a flush.
        static let replyBytes = 256 * 1024
        /// Allocations looked at in one sweep.
        static let sweep = 1024
        /// All allocations are looked at within this time, in seconds.
        static let sweepRoundSeconds: UInt64 = 8
        /// Between two looks at whether all shards are drained.
        static let drainNanoseconds: UInt64 = 100_000_000
        /// Packets worth waiting for under load, those waited for when the shard is nearly busy, and the longest that one
        /// waits for others.
        static let fewestPerPass: UInt64 = 4
        static let mostPerPass: UInt64 = 20
        static let gatheringNanoseconds: UInt64 = 200_000
        /// Bytes the kernel may hold for a relay socket.
        static let relayBufferBytes: Int32 = 256 * 1024
    }

    /// Reported by the poller when the mailbox has something.
    static let bell = SocketID(slot: .max, generation: 0)

    var turn: TURNShard
    var sockets: RelaySocketTable
    var poller: Poller
    var ring = PacketRing(slotCount: Bounds.slots, slotCapacity: Bounds.slotBytes)
    var receiver = DatagramReceiver(capacity: Bounds.receive, datagramLimit: Bounds.datagramBytes)
    var batch: SendBatch
    var effects = EffectQueue()
    var meters: MeterTable
    var callMeters = CallMeters()
    var counts = PassCounts()
    var pacer = WakeupPacer(
        fewest: Bounds.fewestPerPass,
        most: Bounds.mostPerPass,
        longestWait: Bounds.gatheringNanoseconds
    )
    var random = SystemRandomNumberGenerator()

    /// Counts the passes, round and round.
    var passNumber: UInt16 = 0
    /// The time of this pass.
    var now: Instant
    var unixSeconds: UInt64
    var nextSweep: Instant
    /// When calls are told next of their traffic.
    var nextReport: Instant
    /// For the transaction IDs of Data indications.
    var randomBytes = RandomBytes()
    let index: Int
    /// Where ICMP errors are heard: in one shard for all.
    let icmpSources: [ICMPSource]
    /// Relay sockets to be closed after the flush.
    var closing: [SocketID] = []
    /// When to end at the latest; nil while not draining.
    var drainDeadline: Instant?
    /// When to look next, while draining, at whether any shard has a relay left.
    var nextDrainLook: Instant

    // Shared with other threads.
    let registry: SharedRegistry
    let directory: RelayDirectory
    /// By shard; the shard's own among them.
    let mailboxes: [Mailbox]
    let liveRelays: LiveRelayPorts
    let mailbox: Mailbox
    let shared: ShardCounters
    let notify: @Sendable (RelayNotice) -> Void

    /// A shard that watches its listeners and its mailbox.
    static func make(_ start: ShardStart) throws(SystemError) -> RelayShard {
        let listeners = start.seat.take()
        let poller = try Poller(capacity: Bounds.events)
        for (slot, listener) in listeners.enumerated() {
            try poller.add(listener.socket.descriptor.rawValue, as: Listener.identifier(slot))
        }
        let icmpSources = start.icmpSeat.take()
        for (index, source) in icmpSources.enumerated() {
            try poller.add(source.socket.descriptor.rawValue, as: ICMPSource.identifier(index))
        }
        try poller.add(start.mailboxes[start.index].wakeup.descriptor.rawValue, as: RelayShard.bell)
        return RelayShard(start, listeners, icmpSources, poller: poller)
    }

    private init(_ start: ShardStart, _ listeners: [Listener], _ icmpSources: [ICMPSource], poller: consuming Poller) {
        turn = start.makeTURNShard(random: &random)
        sockets = RelaySocketTable(listeners: listeners, relayLimit: start.relayLimit)
        batch = SendBatch(capacity: start.batchCapacity, arenaCapacity: Bounds.replyBytes)
        batch.prepare(slots: sockets.slotCount)
        self.poller = poller
        meters = MeterTable(limits: start.bandwidth, budget: start.budget)
        registry = start.registry
        liveRelays = start.configuration.liveRelays
        directory = start.directory
        index = start.index
        self.icmpSources = icmpSources
        mailboxes = start.mailboxes
        mailbox = start.mailboxes[start.index]
        shared = start.counters
        notify = start.notify
        now = SystemClock.now()
        unixSeconds = SystemClock.unixSeconds()
        nextSweep = now.advanced(bySeconds: 1)
        nextReport = nextSweep
        nextDrainLook = now
        for call in start.endedCalls {
            let isDone = turn.endCall(call, now: now, into: &effects)
            precondition(isDone, "a shard begins without allocations")
        }
    }
}

extension Listener {
    /// The identifier of the `index`th listener, the same in every shard.
    static func identifier(_ index: Int) -> SocketID {
        SocketID(slot: UInt32(truncatingIfNeeded: index), generation: 0)
    }
}
