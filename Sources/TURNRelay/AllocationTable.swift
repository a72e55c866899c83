internal import NetPrimitives
internal import STUNServer

/// The allocations of a shard, by name, by 5-tuple and by relay socket.
struct AllocationTable: ~Copyable {
    private var slab: Slab<Allocation>
    private var idByFlow: [Flow: AllocationID] = [:]
    /// Of those that were made for a call.
    private var idsByCall: [String: [AllocationID]] = [:]

    init(limit: Int) {
        slab = Slab(maximumCount: limit)
    }

    var count: Int { slab.count }

    /// Number of slots that were ever used: what a sweep has to visit.
    var slotCount: Int { slab.placeCount }

    subscript(id: AllocationID) -> Allocation? { slab[SlabIndex(id)] }

    /// The allocation of a 5-tuple, expired or not.
    subscript(flow: Flow) -> Allocation? { idByFlow[flow].flatMap { slab[SlabIndex($0)] } }

    /// One of the allocations that were made for a call.
    func anyAllocation(ofCall call: String) -> Allocation? {
        idsByCall[call]?.last.flatMap { slab[SlabIndex($0)] }
    }

    /// The allocation in one slot, for sweeps.
    func allocation(inSlot slot: Int) -> Allocation? { slab.index(at: slot).flatMap { slab[$0] } }

    /// Makes room for an allocation on a free 5-tuple and stores what `make` builds under its name; nil if full.
    mutating func insert(_ flow: Flow, _ make: (AllocationID) -> Allocation) -> Allocation? {
        precondition(idByFlow[flow] == nil, "a 5-tuple has one allocation")
        // The name is known only once the place is, so the record is written twice.
        let unnamed = make(AllocationID(slot: .max, generation: .max))
        guard let index = slab.insert(unnamed) else { return nil }
        let allocation = make(AllocationID(index))
        slab[index] = allocation
        idByFlow[flow] = allocation.id
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
        idByFlow[allocation.flow] = nil
        guard let call = allocation.owner.callID, var ids = idsByCall.removeValue(forKey: call) else { return }
        if let index = ids.lastIndex(of: allocation.id) { ids.remove(at: index) }
        if !ids.isEmpty { idsByCall[call] = ids }
    }
}

extension SlabIndex {
    fileprivate init(_ id: AllocationID) { self.init(slot: id.slot, generation: id.generation) }
}

extension AllocationID {
    fileprivate init(_ index: SlabIndex) { self.init(slot: index.slot, generation: index.generation) }
}
