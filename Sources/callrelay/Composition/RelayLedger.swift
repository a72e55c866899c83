import CallModel
import CallStore
import RelayRuntime
import TURNRelay

/// The relay's use by calls as far as it is not written down yet: which allocation is whose, and how much of its traffic
/// is counted. A value without clock or store.
struct RelayLedger {
    /// A participant of a call.
    struct Owner: Hashable {
        let call: CallID
        let user: UserID
    }

    /// Allocations followed at the same time; of further ones only the end is counted.
    static let liveLimit = 262_144

    /// What one allocation has at a time, and another after it.
    struct Place: Hashable {
        let shard: Int
        let slot: UInt32

        init(_ allocation: RelayAllocation) {
            shard = allocation.shard
            slot = allocation.id.slot
        }
    }

    private struct Entry {
        let allocation: RelayAllocation
        let owner: Owner
        var isAudited: Bool
        var counted = RelayUse()
    }

    private var live: [Place: Entry] = [:]
    private var unwritten: [Owner: RelayUse] = [:]

    /// Allocations that are followed.
    var liveCount: Int { live.count }

    /// Participants with bytes that are not written.
    var unwrittenCount: Int { unwritten.count }

    /// An allocation began, and whether the audit tells of it. One that was in its place, and whose end was not heard of,
    /// is forgotten.
    mutating func opened(_ allocation: RelayAllocation, by owner: Owner, isAudited: Bool) {
        let place = Place(allocation)
        guard live[place] != nil || live.count < Self.liveLimit else { return }
        live[place] = Entry(allocation: allocation, owner: owner, isAudited: isAudited)
    }

    /// The audit could not tell of an allocation's beginning, and so is not to tell of its end.
    mutating func leaveOutOfAudit(_ allocation: RelayAllocation) {
        let place = Place(allocation)
        if live[place]?.allocation == allocation { live[place]?.isAudited = false }
    }

    /// Whose allocation it is; nil if it is not followed.
    func owner(of allocation: RelayAllocation) -> Owner? {
        let entry = live[Place(allocation)]
        return entry?.allocation == allocation ? entry?.owner : nil
    }

    /// An allocation has relayed this much up to now.
    mutating func relayed(_ traffic: RelayTraffic, by allocation: RelayAllocation) {
        let place = Place(allocation)
        guard var entry = live[place], entry.allocation == allocation else { return }
        count(RelayUse(traffic), &entry)
        live[place] = entry
    }

    /// An allocation ended, having relayed this much. Answers whether the audit told of its beginning.
    mutating func closed(_ allocation: RelayAllocation, by owner: Owner, _ traffic: RelayTraffic) -> Bool {
        let place = Place(allocation)
        var entry = Entry(allocation: allocation, owner: owner, isAudited: false)
        if let known = live[place], known.allocation == allocation {
            entry = known
            live[place] = nil
        }
        count(RelayUse(traffic), &entry)
        return entry.isAudited
    }

    /// What was counted since this was asked last.
    mutating func takeUnwritten() -> [CallRelayUse] {
        defer { unwritten = [:] }
        return unwritten.map { CallRelayUse(callID: $0.key.call, userID: $0.key.user, use: $0.value) }
    }

    /// What could not be written waits for the next time.
    mutating func putBack(_ uses: [CallRelayUse]) {
        for entry in uses { add(entry.use, to: Owner(call: entry.callID, user: entry.userID)) }
    }

    private mutating func count(_ use: RelayUse, _ entry: inout Entry) {
        let more = RelayUse(
            bytesSent: max(0, use.bytesSent - entry.counted.bytesSent),
            bytesReceived: max(0, use.bytesReceived - entry.counted.bytesReceived)
        )
        entry.counted = use
        if more.total > 0 { add(more, to: entry.owner) }
    }

    private mutating func add(_ use: RelayUse, to owner: Owner) {
        unwritten[owner, default: RelayUse()].bytesSent += use.bytesSent
        unwritten[owner, default: RelayUse()].bytesReceived += use.bytesReceived
    }
}

extension RelayUse {
    /// An allocation's traffic as its client sees it.
    init(_ traffic: RelayTraffic) {
        self.init(
            bytesSent: Int64(clamping: traffic.bytesToPeers),
            bytesReceived: Int64(clamping: traffic.bytesToClient)
        )
    }
}
