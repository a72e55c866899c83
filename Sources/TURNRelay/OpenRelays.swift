internal import NetPrimitives

/// A relayed transport address: the socket behind it, and the address that clients are told.
struct OpenRelay: Hashable, Sendable, BitwiseCopyable {
    let socket: SocketID
    let relayed: Endpoint
    /// Its own end: a Refresh request can prolong one half of a dual allocation alone (RFC 8656 §6, §8.1).
    var expires: Instant

    /// Whether its time is over.
    func hasEnded(_ now: Instant) -> Bool { expires <= now }
}

/// The relayed transport addresses of an allocation, at most one of each family.
struct OpenRelays: Hashable, Sendable, BitwiseCopyable {
    private var ipv4: OpenRelay?
    private var ipv6: OpenRelay?

    subscript(family: IPAddress.Family) -> OpenRelay? {
        get { family == .ipv4 ? ipv4 : ipv6 }
        set { if family == .ipv4 { ipv4 = newValue } else { ipv6 = newValue } }
    }

    /// In the order in which clients are told of them: IPv4 first.
    var first: OpenRelay? { ipv4 ?? ipv6 }
    /// The IPv6 half of a dual allocation.
    var second: OpenRelay? { ipv4 == nil ? nil : ipv6 }

    /// Whether the time of one of them is over.
    func hasEnded(_ now: Instant) -> Bool { ipv4?.hasEnded(now) ?? false || ipv6?.hasEnded(now) ?? false }

    /// When the last of them ends; nil if there are none.
    var lastEnd: Instant? {
        guard let first, let second else { return first?.expires }
        return max(first.expires, second.expires)
    }
}
