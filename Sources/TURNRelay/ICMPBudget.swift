internal import NetPrimitives

/// How many ICMP errors a client may still be told of. Behind a reference, because hardly any client is told of one.
indirect enum ICMPBudget: Sendable {
    case untouched
    case used(TokenBucket)

    /// Takes one out of a budget of `perSecond`; answers whether there was one.
    mutating func take(perSecond: UInt32, now: Instant) -> Bool {
        let rate = UInt64(perSecond)
        var bucket =
            switch self {
            case .untouched: TokenBucket(rate: rate, burst: rate, now: now)
            case .used(let bucket): bucket
            }
        defer { self = .used(bucket) }
        return bucket.take(now: now)
    }
}
