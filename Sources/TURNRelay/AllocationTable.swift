internal import NetPrimitives
internal import STUNServer

/// The allocations of a shard, by name and by call. By 5-tuple they are found in the `FlowTable`.
struct AllocationTable: ~Copyable {
    private var slab: Slab<Allocation>
    /// Those that were made for a call.
    private var idsByCall: [String: [AllocationID]] = [:]
    /// What Allocate requests still wait for, those that do.
    var openings: [AllocationID: RelayOpening] = [:]

    init(limit: Int) {
        slab = Slab(maximumCount: limit)
    }

    var count: Int { slab.count }

    /// Number of slots that were ever used: what a sweep has to visit.
    var slotCount: Int { slab.placeCount }

    subscript(id: AllocationID) -> Allocation? { slab[SlabIndex(id)] }

    /// One of the allocations that were made for a call.
    func anyAllocation(ofCall call: String) -> Allocation? {
        idsByCall[call]?.last.flatMap { slab[SlabIndex($0)] }
    }

    /// Whether something of the allocation in one slot has ended; false if there is none. For sweeps, which find nothing
    /// almost always.
    func hasEnded(inSlot slot: Int, now: Instant) -> Bool { slab.look(at: slot) { $0.hasEnded(now) } ?? false }

    /// The allocation in one slot, for sweeps.
    func allocation(inSlot slot: Int) -> Allocation? { slab.index(at: slot).flatMap { slab[$0] } }

    /// Stores what `make` builds for the name that it is given; nil if full.
    mutating func insert(_ make: (AllocationID) -> Allocation) -> Allocation? {
        guard let index = slab.nextIndex else { return nil }
        let allocation = make(AllocationID(index))
        slab.insert(allocation)
        if let call = allocation.owner.callID { idsByCall[call, default: []].append(allocation.id) }
        return allocation
    }

    /// Writes a changed record back.
    mutating func store(_ allocation: Allocation) {
        slab[SlabIndex(allocation.id)] = allocation
    }

    /// Changes the record in one slot in place; nil if there is none. For what the packet path's view does not show.
    mutating func update<Result>(inSlot slot: Int, _ change: (inout Allocation) -> Result) -> Result? {
        slab.index(at: slot).flatMap { slab.update($0, change) }
    }

    mutating func remove(_ allocation: Allocation) {
        slab.remove(SlabIndex(allocation.id))
        openings[allocation.id] = nil
        guard let call = allocation.owner.callID, var ids = idsByCall.removeValue(forKey: call) else { return }
        if let index = ids.lastIndex(of: allocation.id) { ids.remove(at: index) }
        if !ids.isEmpty { idsByCall[call] = ids }
    }
}

/// The relay socket that is being opened for an Allocate request, and the one that has to be opened after it.
struct RelayOpening: Sendable {
    let origin: RequestOrigin
    let wish: PortWish
    let next: PortWish?
}

extension SlabIndex {
    fileprivate init(_ id: AllocationID) { self.init(slot: id.slot, generation: id.generation) }
}

extension AllocationID {
    fileprivate init(_ index: SlabIndex) { self.init(slot: index.slot, generation: index.generation) }
}
