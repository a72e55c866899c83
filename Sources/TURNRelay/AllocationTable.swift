internal import NetPrimitives

/// The allocations of a shard, by name, by 5-tuple and by relay socket.
struct AllocationTable: ~Copyable {
    private var slab: Slab<Allocation>
    private var idByFlow: [Flow: AllocationID] = [:]

    init(limit: Int) {
        slab = Slab(maximumCount: limit)
    }

    var count: Int { slab.count }

    /// Number of slots that were ever used: what a sweep has to visit.
    var slotCount: Int { slab.placeCount }

    var isFull: Bool { slab.count >= slab.maximumCount }

    subscript(id: AllocationID) -> Allocation? { slab[SlabIndex(id)] }

    /// The allocation of a 5-tuple, expired or not.
    subscript(flow: Flow) -> Allocation? { idByFlow[flow].flatMap { slab[SlabIndex($0)] } }

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
        return allocation
    }

    /// Writes a changed record back.
    mutating func store(_ allocation: Allocation) {
        slab[SlabIndex(allocation.id)] = allocation
    }

    mutating func remove(_ allocation: Allocation) {
        slab.remove(SlabIndex(allocation.id))
        idByFlow[allocation.flow] = nil
    }
}

extension SlabIndex {
    fileprivate init(_ id: AllocationID) { self.init(slot: id.slot, generation: id.generation) }
}

extension AllocationID {
    fileprivate init(_ index: SlabIndex) { self.init(slot: index.slot, generation: index.generation) }
}
