import TURNRelay

/// The allocations of a shard that were made for calls, to be reported on in turn. Each has its turn once in
/// `secondsPerRound`, and at most `turnLimit` have theirs in one second; an allocation that relayed nothing since is
/// passed over.
struct CallMeters {
    /// Between two reports about one allocation.
    static let secondsPerRound = 3
    /// Reports in one second; with more allocations than this in a round's time, the round takes longer.
    static let turnLimit = 1024

    private struct Entry {
        let id: AllocationID
        var reported: RelayTraffic
    }

    private var entries: [Entry] = []
    private var indexBySlot: [UInt32: Int] = [:]
    private var cursor = 0

    var count: Int { entries.count }

    mutating func open(_ id: AllocationID) {
        close(id)
        indexBySlot[id.slot] = entries.count
        entries.append(Entry(id: id, reported: RelayTraffic()))
    }

    /// Forgets an allocation, if it was one of a call.
    mutating func close(_ id: AllocationID) {
        guard let index = indexBySlot.removeValue(forKey: id.slot) else { return }
        let last = entries.removeLast()
        guard index < entries.count else { return }
        entries[index] = last
        indexBySlot[last.id.slot] = index
    }

    /// How many have their turn this second.
    var turns: Int { min((entries.count + Self.secondsPerRound - 1) / Self.secondsPerRound, Self.turnLimit) }

    /// The next one in turn; to be asked while there is one.
    mutating func next() -> AllocationID? {
        guard !entries.isEmpty else { return nil }
        cursor = cursor + 1 < entries.count ? cursor + 1 : 0
        return entries[cursor].id
    }

    /// Whether an allocation's traffic is news since it was last asked about.
    mutating func isNews(_ traffic: RelayTraffic, of id: AllocationID) -> Bool {
        guard let index = indexBySlot[id.slot], entries[index].reported != traffic else { return false }
        entries[index].reported = traffic
        return true
    }
}
