public import NetPrimitives

/// An address that relay sockets are bound to, and the one that clients are told.
public struct RelayAddress: Hashable, Sendable, BitwiseCopyable {
    /// The local address.
    public let bound: IPAddress
    /// The same socket's address as the outside world sees it, behind a 1:1 NAT.
    public let external: IPAddress

    /// A local address that the outside knows as `external`, or by itself.
    public init(bound: IPAddress, external: IPAddress? = nil) {
        self.bound = bound
        self.external = external ?? bound
    }
}

/// The relay addresses of each family; nil where a family is not served (answered with 440).
public struct RelayAddresses: Hashable, Sendable, BitwiseCopyable {
    /// Where IPv4 allocations live.
    public var ipv4: RelayAddress?
    /// Where IPv6 allocations live.
    public var ipv6: RelayAddress?

    /// A pair of relay addresses, either of which may be missing.
    public init(ipv4: RelayAddress? = nil, ipv6: RelayAddress? = nil) {
        precondition(ipv4 == nil || ipv4?.bound.family == .ipv4, "an IPv4 relay address of another family")
        precondition(ipv6 == nil || ipv6?.bound.family == .ipv6, "an IPv6 relay address of another family")
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }

    subscript(family: IPAddress.Family) -> RelayAddress? {
        switch family {
        case .ipv4: ipv4
        case .ipv6: ipv6
        }
    }
}
