import NetPrimitives
import TURNRelay

// SAFETY: @safe because the memory below is its own, and reached through checked slots.
/// Relayed traffic by meter slot, and the limits on it. Grown when an allocation opens, so that counting a packet is an
/// addition, and limiting it a comparison more.
@safe
struct MeterTable: ~Copyable {
    private var meters: UnsafeMutablePointer<RelayTraffic>
    /// As many as there are meters if allocations are limited, else none.
    private var buckets: UnsafeMutablePointer<TokenBucket>
    private var capacity = 256
    private var share: BandwidthShare
    private let bytesPerSecond: UInt64
    private let isLimited: Bool

    /// Meters under `limits`, of which the server's is drawn from `budget`.
    init(limits: BandwidthLimits = BandwidthLimits(), budget: BandwidthBudget? = nil) {
        bytesPerSecond = UInt64(clamping: limits.perAllocation)
        isLimited = bytesPerSecond > 0 || budget != nil
        share = BandwidthShare(of: budget)
        // SAFETY: initialised in full, freed in deinit.
        unsafe meters = UnsafeMutablePointer<RelayTraffic>.allocate(capacity: capacity)
        unsafe meters.initialize(repeating: RelayTraffic(), count: capacity)
        unsafe buckets = MeterTable.emptyBuckets(bytesPerSecond > 0 ? capacity : 0)
    }

    deinit {
        // SAFETY: trivial entries, used by nobody after this.
        unsafe meters.deallocate()
        unsafe buckets.deallocate()
    }

    /// Starts a slot's meter from zero, with a full bucket.
    mutating func open(_ slot: UInt32, now: Instant) {
        if Int(slot) >= capacity { grow(beyond: Int(slot)) }
        // SAFETY: below `capacity` now.
        unsafe meters[Int(slot)] = RelayTraffic()
        guard bytesPerSecond > 0 else { return }
        let burst = max(bytesPerSecond, BandwidthLimits.smallestBurst)
        unsafe buckets[Int(slot)] = TokenBucket(rate: bytesPerSecond, burst: burst, now: now)
    }

    /// What a slot's meter shows.
    func traffic(_ slot: UInt32) -> RelayTraffic {
        guard Int(slot) < capacity else { return RelayTraffic() }
        // SAFETY: below `capacity`.
        return unsafe meters[Int(slot)]
    }

    /// Takes a payload, and the headers that it leaves with, out of its allocation's bucket and the server's budget, out
    /// of both or neither. Answers why it may not be relayed, nil if it may.
    mutating func spend(_ payload: Int, over family: IPAddress.Family, of slot: UInt32, now: Instant) -> DropReason? {
        guard isLimited else { return nil }
        let cost = BandwidthLimits.cost(payload: payload, over: family)
        guard share.covers(cost, now: now) else { return .serverBandwidth }
        if bytesPerSecond > 0, Int(slot) < capacity {
            // SAFETY: below `capacity`, and there is a bucket for each meter.
            guard unsafe buckets[Int(slot)].take(cost, now: now) else { return .allocationBandwidth }
        }
        share.spend(cost)
        return nil
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
        // SAFETY: the new arrays are initialised in full before the old ones, which nobody else knows, are freed.
        let grown = UnsafeMutablePointer<RelayTraffic>.allocate(capacity: larger)
        unsafe grown.initialize(repeating: RelayTraffic(), count: larger)
        unsafe grown.update(from: meters, count: capacity)
        unsafe meters.deallocate()
        unsafe meters = grown
        if bytesPerSecond > 0 {
            let grownBuckets = unsafe MeterTable.emptyBuckets(larger)
            unsafe grownBuckets.update(from: buckets, count: capacity)
            unsafe buckets.deallocate()
            unsafe buckets = grownBuckets
        }
        capacity = larger
    }

    private static func emptyBuckets(_ count: Int) -> UnsafeMutablePointer<TokenBucket> {
        // SAFETY: initialised in full; the caller frees it.
        let buckets = UnsafeMutablePointer<TokenBucket>.allocate(capacity: count)
        let empty = TokenBucket(rate: 0, burst: 0, now: Instant(nanoseconds: 0))
        unsafe buckets.initialize(repeating: empty, count: count)
        return unsafe buckets
    }
}
