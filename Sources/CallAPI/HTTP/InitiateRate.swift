import Locking
import NetPrimitives

/// How often calls may be started.
public struct InitiateRate: Hashable, Sendable {
    /// How many.
    public let count: Int
    /// In which time.
    public let period: Duration

    /// `count` in `period`; at least one.
    public init(count: Int, period: Duration) {
        self.count = max(count, 1)
        self.period = period
    }
}

/// Counts started calls per user and per client address.
///
/// Each key has one number, the time until which its allowance is used up (the generic cell rate algorithm), and is
/// forgotten once that time is past.
final class InitiateRateLimiter: Sendable {
    private enum Key: Hashable {
        case user(String)
        /// An IPv4 address, or the /64 that an IPv6 client chooses its addresses from.
        case address(IPPrefix)
    }

    /// Keys with a used allowance at the same time; while there are so many, a new one is refused.
    static let keyLimit = 100_000

    private let perUser: InitiateRate?
    private let perAddress: InitiateRate?
    private let usedUntil = Locked<[Key: ContinuousClock.Instant]>([:])

    init(perUser: InitiateRate?, perAddress: InitiateRate?) {
        self.perUser = perUser
        self.perAddress = perAddress
    }

    /// Counts one attempt; if it is one too many, counts nothing and answers how long to wait.
    func admit(user: String?, address: IPAddress?, now: ContinuousClock.Instant) -> Duration? {
        var claims: [(key: Key, rate: InitiateRate)] = []
        if let perUser, let user { claims.append((.user(user), perUser)) }
        if let perAddress, let block = address.flatMap(Self.block) { claims.append((.address(block), perAddress)) }
        return usedUntil.withLock { table in
            if table.count + claims.count > Self.keyLimit { table = table.filter { $0.value > now } }
            if table.count + claims.count > Self.keyLimit { return .seconds(1) }
            var updates: [(Key, ContinuousClock.Instant)] = []
            for (key, rate) in claims {
                let until = max(table[key] ?? now, now) + rate.period / rate.count
                let excess = (until - now) - rate.period
                if excess > .zero { return excess }
                updates.append((key, until))
            }
            for (key, until) in updates { table[key] = until }
            return nil
        }
    }

    private static func block(_ address: IPAddress) -> IPPrefix? {
        switch address.family {
        case .ipv4: try? IPPrefix(address: address, length: 32)
        case .ipv6: try? IPPrefix(address: IPAddress(ipv6High: address.high, low: 0), length: 64)
        }
    }
}
