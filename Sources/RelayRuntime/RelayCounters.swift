public import TURNRelay

/// What a shard has done since its start, or several shards together.
public struct RelayCounters: Hashable, Sendable {
    /// Events that are counted. The raw values are dense.
    public enum Event: Int, CaseIterable, Sendable {
        /// Passes of the packet loop.
        case passes
        /// Datagrams received from clients, and their bytes.
        case clientDatagrams, clientBytes
        /// Datagrams received from peers, and their bytes.
        case peerDatagrams, peerBytes
        /// Payloads forwarded to peers, and their bytes.
        case datagramsToPeers, bytesToPeers
        /// Payloads forwarded to clients, and their bytes.
        case datagramsToClients, bytesToClients
        /// Messages handed to the slow path.
        case controlMessages
        /// Replies sent.
        case replies
        /// Requests answered with success, and with an error.
        case answered, refused
        /// Allocations opened and closed.
        case allocationsOpened, allocationsClosed
        /// Relay ports found taken by another process.
        case portsTaken
        /// Allocations refused for want of a port, a descriptor or memory.
        case capacityRefusals
        /// Datagrams larger than a receive slot.
        case truncated
        /// Datagrams the kernel took, had no room for, and refused.
        case sent, sendBlocked, sendRefused
        /// Datagrams that were to leave in one piece and were too large for that.
        case sendTooLarge
        /// ICMP errors heard, and told to clients.
        case icmpErrors, icmpPassedOn
        /// System calls that sent.
        case sendCalls
    }

    private var events: [UInt64]
    private var drops: [UInt64]

    init(events: [UInt64], drops: [UInt64]) {
        self.events = events
        self.drops = drops
    }

    /// How often `event` happened.
    public subscript(event: Event) -> UInt64 { events[event.rawValue] }

    /// How many datagrams were discarded for `reason`.
    public subscript(reason: DropReason) -> UInt64 { drops[Int(reason.rawValue)] }

    /// Allocations that live.
    public var liveAllocations: UInt64 { self[.allocationsOpened] &- self[.allocationsClosed] }

    static func + (left: RelayCounters, right: RelayCounters) -> RelayCounters {
        RelayCounters(
            events: zip(left.events, right.events).map { $0 &+ $1 },
            drops: zip(left.drops, right.drops).map { $0 &+ $1 }
        )
    }
}
