import NetPrimitives
import Synchronization

/// What all shards together may relay (`TURN_TOTAL_BPS`). Shards draw from it in chunks, so that what they share is
/// touched once a chunk and not once a datagram.
///
/// The state is one word: the point in time up to which the rate is spoken for. A draw moves it on by what the chunk
/// takes at that rate, and is refused if that would pass `now`; it lags behind `now` by at most one burst.
final class BandwidthBudget: Sendable {
    /// The rate, in bytes a second.
    let bytesPerSecond: UInt64
    /// What one draw gets, in bytes.
    let chunk: UInt64

    private let chunkNanoseconds: UInt64
    private let burstNanoseconds: UInt64
    private let spokenFor = Atomic<UInt64>(0)

    /// The most that one draw gets, in bytes: the sum over all shards is exact within this for each of them.
    static let largestChunk: UInt64 = 65_536
    /// The rate over this many draws a second keeps chunks small on slow servers.
    private static let drawsPerSecond: UInt64 = 32

    /// A budget of so many bytes a second, at least one; a second's worth of it may be saved up.
    init(bytesPerSecond: Int) {
        let rate = UInt64(max(bytesPerSecond, 1))
        self.bytesPerSecond = rate
        // A datagram is never larger than a chunk, so that one draw suffices for it.
        chunk = min(max(rate / Self.drawsPerSecond, BandwidthLimits.smallestBurst), Self.largestChunk)
        // Rounded up, so that the rate is kept. No chunk times a second's nanoseconds exceeds 2^46.
        chunkNanoseconds = (chunk * 1_000_000_000 + rate - 1) / rate
        burstNanoseconds = max(1_000_000_000, chunkNanoseconds)
    }

    /// Whether a chunk could be had at `now`; if so, it is the caller's.
    func drawChunk(now: Instant) -> Bool {
        var seen = spokenFor.load(ordering: .relaxed)
        while true {
            let oldest = now.nanoseconds > burstNanoseconds ? now.nanoseconds &- burstNanoseconds : 0
            let (next, overflow) = max(seen, oldest).addingReportingOverflow(chunkNanoseconds)
            guard !overflow, next <= now.nanoseconds else { return false }
            let (isOurs, current) = spokenFor.weakCompareExchange(expected: seen, desired: next, ordering: .relaxed)
            if isOurs { return true }
            seen = current
        }
    }
}

/// One shard's part in the budget: what is left of the chunk that it drew last.
struct BandwidthShare: ~Copyable {
    /// Nil if the server's rate is not limited.
    private let budget: BandwidthBudget?
    private let isLimited: Bool
    /// Bytes that are drawn and not spent.
    private(set) var credit: UInt64 = 0
    /// The pass whose draw was refused: the rest of it need not ask again.
    private var refused = Instant(nanoseconds: .max)

    init(of budget: BandwidthBudget?) {
        self.budget = budget
        isLimited = budget != nil
    }

    /// Whether `bytes` can be spent at `now`; draws a chunk if need be, and at most one.
    mutating func covers(_ bytes: UInt64, now: Instant) -> Bool {
        credit >= bytes || !isLimited || draw(bytes, now: now)
    }

    /// Once a chunk, or once a pass when there is none: too rarely to count as the packet path, and apart from it, since it
    /// counts references.
    @inline(never)
    private mutating func draw(_ bytes: UInt64, now: Instant) -> Bool {
        guard let budget else { return true }
        guard refused != now else { return false }
        guard budget.drawChunk(now: now) else {
            refused = now
            return false
        }
        credit &+= budget.chunk
        return credit >= bytes
    }

    /// Spends what `covers` said is there.
    mutating func spend(_ bytes: UInt64) {
        credit = credit >= bytes ? credit &- bytes : 0
    }
}
