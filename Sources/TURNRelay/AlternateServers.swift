public import NetPrimitives

/// Where clients are sent while this server drains (RFC 8489 §10): at most one server a family, since a client is only
/// ever sent to an address of the family that it came by.
public struct AlternateServers: Hashable, Sendable {
    /// For clients that came by IPv4.
    public var ipv4: Endpoint?
    /// For clients that came by IPv6.
    public var ipv6: Endpoint?

    /// Nobody to send clients to.
    public init() {}

    /// The server for clients of `family`.
    public subscript(family: IPAddress.Family) -> Endpoint? {
        switch family {
        case .ipv4: ipv4
        case .ipv6: ipv6
        }
    }
}
