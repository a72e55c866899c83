public import NetPrimitives

/// The right to bind one relay port, charged to one user, until it is given back to the registry.
///
/// Whoever holds one ends it exactly once: `AllocationRegistry.retry` if the port turned out to be taken, `release` if the
/// socket could not be opened for another reason, or when it was closed.
public struct RelayLease: Hashable, Sendable {
    /// What to bind.
    public let endpoint: Endpoint
    /// The user that it counts for.
    public let user: String

    let parity: PortParity
    /// How many ports this search has drawn.
    let attempts: Int
    /// Tells this search's rejected ports from those of others.
    let search: UInt64
}

/// The registry's answer to a request for a port.
public enum LeaseAnswer: Hashable, Sendable {
    /// Bind this.
    case leased(RelayLease)
    /// The user or the server has all the allocations it may have: 486.
    case quota
    /// No port is to be had: 508.
    case capacity
}
