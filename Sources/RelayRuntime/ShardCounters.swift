import Synchronization
import TURNRelay

/// Counts of one pass, plain memory of the shard's own.
struct PassCounts: ~Copyable {
    static let eventCount = RelayCounters.Event.allCases.count
    static let dropCount = DropReason.allCases.count

    private var events = InlineArray<32, UInt64>(repeating: 0)
    private var drops = InlineArray<32, UInt64>(repeating: 0)

    init() {
        precondition(PassCounts.eventCount <= 32 && PassCounts.dropCount <= 32, "room for every counter")
    }

    mutating func add(_ event: RelayCounters.Event, _ amount: UInt64 = 1) { events[event.rawValue] &+= amount }

    mutating func add(_ reason: DropReason) { drops[Int(reason.rawValue) & 31] &+= 1 }

    /// Adds everything to the shared counters and starts again from zero.
    mutating func publish(to shared: ShardCounters) {
        for index in 0..<32 where events[index] != 0 {
            shared.events[index].add(events[index], ordering: .relaxed)
            events[index] = 0
        }
        for index in 0..<32 where drops[index] != 0 {
            shared.drops[index].add(drops[index], ordering: .relaxed)
            drops[index] = 0
        }
    }
}

/// A shard's totals, for other threads to read. Written once a pass, not once a packet.
final class ShardCounters: Sendable {
    // Padding: what else lies on the heap shares no cache line with the counters.
    private let before = InlineArray<8, UInt64>(repeating: 0)
    let events = InlineArray<32, Atomic<UInt64>> { _ in Atomic(0) }
    let drops = InlineArray<32, Atomic<UInt64>> { _ in Atomic(0) }
    private let after = InlineArray<8, UInt64>(repeating: 0)

    func snapshot() -> RelayCounters {
        RelayCounters(
            events: (0..<PassCounts.eventCount).map { events[$0].load(ordering: .relaxed) },
            drops: (0..<PassCounts.dropCount).map { drops[$0].load(ordering: .relaxed) }
        )
    }
}
