/// A shard's name of one allocation. The generation keeps an identifier held too long from naming a later allocation.
public struct AllocationID: Hashable, Sendable, BitwiseCopyable {
    /// Index in the shard's table; also the allocation's meter slot.
    public let slot: UInt32
    /// How often the slot had been given out before.
    public let generation: UInt32

    /// Names the allocation in `slot`, in the use of that slot which `generation` counts.
    @inlinable
    public init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }
}
