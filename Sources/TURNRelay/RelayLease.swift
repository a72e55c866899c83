public import NetPrimitives
public import STUNCore

/// The right to bind one relay port, charged to one user, until it is given back to the registry.
///
/// Whoever holds one ends it exactly once: by `AllocationRegistry.retry` if the port turned out to be taken, by `abandon`
/// if the socket could not be opened for another reason, and by `release`, or its two halves in order, when the allocation
/// is gone.
///
/// There is one for every relay socket, so its parts are ordered to leave few gaps.
public struct RelayLease: Hashable, Sendable {
    /// What is drawn again if the port turns out to be taken.
    enum Draw: Hashable, Sendable, BitwiseCopyable {
        case any
        case even
        case evenAndNext
        /// Nothing: it was the one port of a reservation.
        case nothing
    }

    /// The user that it counts for.
    public let user: String
    /// What to bind.
    public let endpoint: Endpoint
    let draw: Draw
    /// How many ports this search has drawn.
    let attempts: UInt16
    /// Tells this search's rejected ports from those of others.
    let search: UInt64
    /// The token under which the next higher port is kept, if that was asked for.
    public let reservation: ReservationToken?

    /// The port that is kept under `reservation`.
    public var reservedEndpoint: Endpoint? {
        reservation.map { _ in Endpoint(address: endpoint.address, port: endpoint.port + 1) }
    }
}

/// The registry's answer to a request for a port.
public enum LeaseAnswer: Hashable, Sendable {
    /// Bind this.
    case leased(RelayLease)
    /// The user or the server has all the allocations it may have: 486.
    case quota
    /// No port is to be had, or no such reservation: 508.
    case capacity
}
