import CallModel
import RelayRuntime
import TURNRelay

/// What a notice asks for, as far as it is not done.
struct RelayDeed {
    enum Step {
        /// An allocation began; whose it is has to be looked up.
        case open(username: String)
        /// The ledger has it; now its call is to hear of it.
        case tellOpened(RelayLedger.Owner, isAudited: Bool)
        /// An allocation ended that the ledger does not know; whose it was has to be looked up.
        case close(username: String, CloseCause, RelayTraffic)
        /// The ledger has counted it; now the audit is to tell of its end.
        case tellClosed(RelayLedger.Owner, RelayEnd, RelayUse)
    }

    let allocation: RelayAllocation
    var step: Step

    var place: RelayLedger.Place { RelayLedger.Place(allocation) }
}

/// What the store failed at and is to be tried again. What concerns one place of the relay keeps its order, for an
/// allocation must not end before it began, nor begin before the one that had its place has ended.
struct RelayBacklog {
    /// Deeds that wait at most: as much as a store that fails may cost in memory.
    static let limit = 4_096

    private let limit: Int
    private var deeds: [RelayLedger.Place: [RelayDeed]] = [:]
    /// The places with something that waits, in the order of their turns.
    private var turns: [RelayLedger.Place] = []
    private(set) var count = 0

    init(limit: Int = limit) { self.limit = limit }

    /// Whether something waits for a place.
    func holds(_ place: RelayLedger.Place) -> Bool { deeds[place] != nil }

    /// Adds what is to wait; false if there is no room.
    mutating func add(_ deed: RelayDeed) -> Bool {
        guard count < limit else { return false }
        count += 1
        if deeds[deed.place] == nil { turns.append(deed.place) }
        deeds[deed.place, default: []].append(deed)
        return true
    }

    /// What is to be tried next.
    var first: RelayDeed? { turns.first.flatMap { deeds[$0]?.first } }

    /// What was next is done.
    mutating func removeFirst() {
        guard let place = turns.first else { return }
        count -= 1
        deeds[place]?.removeFirst()
        guard deeds[place]?.isEmpty == true else { return }
        deeds[place] = nil
        turns.removeFirst()
    }

    /// What was next is done as far as this. The other places come first now: one call that cannot be read holds up none
    /// but itself.
    mutating func postpone(_ rest: RelayDeed) {
        guard let place = turns.first else { return }
        deeds[place]?[0] = rest
        turns.append(turns.removeFirst())
    }

    /// All that waits, in order; nothing does any more.
    mutating func takeAll() -> [RelayDeed] {
        defer { self = RelayBacklog(limit: limit) }
        return turns.flatMap { deeds[$0] ?? [] }
    }
}
