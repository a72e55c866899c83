// SAFETY: @safe because the memory below is its own, and reached through checked slots.
/// Relayed traffic by meter slot. Grown when an allocation opens, so that counting a packet is an addition.
@safe
struct MeterTable: ~Copyable {
    private var meters: UnsafeMutablePointer<RelayTraffic>
    private var capacity = 256

    init() {
        // SAFETY: initialised in full, freed in deinit.
        unsafe meters = UnsafeMutablePointer<RelayTraffic>.allocate(capacity: capacity)
        unsafe meters.initialize(repeating: RelayTraffic(), count: capacity)
    }

    deinit {
        // SAFETY: trivial entries, used by nobody after this.
        unsafe meters.deallocate()
    }

    /// Starts a slot's meter from zero.
    mutating func open(_ slot: UInt32) {
        if Int(slot) >= capacity { grow(beyond: Int(slot)) }
        // SAFETY: below `capacity` now.
        unsafe meters[Int(slot)] = RelayTraffic()
    }

    /// What a slot's meter shows.
    func traffic(_ slot: UInt32) -> RelayTraffic {
        guard Int(slot) < capacity else { return RelayTraffic() }
        // SAFETY: below `capacity`.
        return unsafe meters[Int(slot)]
    }

    mutating func countToPeer(_ slot: UInt32, bytes: Int) {
        guard Int(slot) < capacity else { return }
        // SAFETY: below `capacity`.
        unsafe meters[Int(slot)].datagramsToPeers &+= 1
        unsafe meters[Int(slot)].bytesToPeers &+= UInt64(truncatingIfNeeded: bytes)
    }

    mutating func countToClient(_ slot: UInt32, bytes: Int) {
        guard Int(slot) < capacity else { return }
        // SAFETY: below `capacity`.
        unsafe meters[Int(slot)].datagramsToClient &+= 1
        unsafe meters[Int(slot)].bytesToClient &+= UInt64(truncatingIfNeeded: bytes)
    }

    private mutating func grow(beyond slot: Int) {
        var larger = capacity
        while larger <= slot { larger *= 2 }
        // SAFETY: the new array is initialised in full before the old one, which nobody else knows, is freed.
        let grown = UnsafeMutablePointer<RelayTraffic>.allocate(capacity: larger)
        unsafe grown.initialize(repeating: RelayTraffic(), count: larger)
        unsafe grown.update(from: meters, count: capacity)
        unsafe meters.deallocate()
        unsafe meters = grown
        capacity = larger
    }
}
