public import NetPrimitives

/// How many refusals a source gets without having proved that it is there: 400, 401, 438 and a Binding's 420 can be aimed
/// at anybody by who forges source addresses.
///
/// A source is an IPv4 address or an IPv6 /64. The table is bounded; when it is full, a new source takes the place of the
/// one of eight that has the most answers left, so a source under attack keeps its nearly empty bucket.
public struct UnauthenticatedReplyBudget: ~Copyable {
    /// How many sources are remembered.
    public static let maximumSources = 16_384
    private static let probes = 8

    private let repliesPerSecond: UInt32
    private var buckets: OpenTable<IPAddress, TokenBucket>
    private var hand = 0

    /// A budget of `repliesPerSecond` answers a source, ten times as many at once; 0 means no limit.
    public init(repliesPerSecond: UInt32, tableSeed: UInt64) {
        self.repliesPerSecond = repliesPerSecond
        buckets = OpenTable(minimumCapacity: 0, seed: tableSeed)
    }

    /// Takes one answer to `source` from its budget; false if there is none left.
    public mutating func take(for source: IPAddress, now: Instant) -> Bool {
        guard repliesPerSecond > 0 else { return true }
        let prefix = source.family == .ipv6 ? IPAddress(ipv6High: source.high, low: 0) : source
        var isAllowed = false
        if buckets.update(prefix, { isAllowed = $0.take(now: now) }) { return isAllowed }
        if buckets.count >= Self.maximumSources { evictOne(now: now) }
        let rate = UInt64(repliesPerSecond)
        var bucket = TokenBucket(rate: rate, burst: rate * 10, now: now)
        isAllowed = bucket.take(now: now)
        buckets.insert(bucket, for: prefix)
        return isAllowed
    }

    /// How many sources are remembered at the moment.
    public var sourceCount: Int { buckets.count }

    private mutating func evictOne(now: Instant) {
        var fullest: (source: IPAddress, tokens: UInt64)?
        var probed = 0
        while probed < Self.probes {
            hand &+= 1
            guard let entry = buckets.entry(at: hand) else { continue }
            probed += 1
            let tokens = entry.value.available(now: now)
            if tokens >= fullest?.tokens ?? 0 { fullest = (entry.key, tokens) }
        }
        if let fullest { buckets.removeValue(for: fullest.source) }
    }
}
