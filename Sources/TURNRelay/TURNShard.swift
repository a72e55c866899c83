internal import NetPrimitives

/// One shard's TURN server: bytes, sender and time in; verdicts and effects out.
public struct TURNShard: ~Copyable {
    let configuration: TURNConfiguration
    var allocations: AllocationTable
    var flows: FlowTable
    /// The slot that the next sweep begins at.
    var sweepCursor = 0

    /// A shard without allocations. `tableSeed` keys its hash tables and should be random.
    public init(configuration: TURNConfiguration, tableSeed: UInt64) {
        self.configuration = configuration
        allocations = AllocationTable(limit: configuration.limits.allocationsPerShard)
        flows = FlowTable(seed: tableSeed)
    }

    /// Number of allocations, those included that still wait for their socket.
    public var allocationCount: Int { allocations.count }
}
