public import NetPrimitives
public import STUNCore

/// Which relay socket an allocation needs.
public struct RelayRequest: Hashable, Sendable, BitwiseCopyable {
    /// The port it is to have.
    public let wish: PortWish
    /// Who is charged for it: UTF-8 in the queue's arena, the key of the per-user quota.
    public let user: ArenaSlice
}

/// Which port is wanted (EVEN-PORT and RESERVATION-TOKEN, RFC 8656 §7.2).
public enum PortWish: Hashable, Sendable, BitwiseCopyable {
    /// Any port of this address.
    case any(IPAddress)
    /// An even port of this address.
    case even(IPAddress)
    /// An even port of this address, the next higher one being kept for later.
    case evenAndNext(IPAddress)
    /// The port that is kept under this token.
    case reserved(ReservationToken)

    /// The address to bind; nil if the reservation knows it.
    public var address: IPAddress? {
        switch self {
        case .any(let address), .even(let address), .evenAndNext(let address): address
        case .reserved: nil
        }
    }
}

/// How the shell answers `Effect.openRelay`.
public enum RelayOpenOutcome: Hashable, Sendable, BitwiseCopyable {
    /// A socket is bound to `endpoint`, the address as bound, not as seen from outside.
    case opened(SocketID, Endpoint)
    /// The same, and the next higher port is kept under a token.
    case openedPair(SocketID, Endpoint, ReservationToken)
    /// The user or the server has all the allocations it may have: 486.
    case quota
    /// Out of ports, descriptors or memory, or no such reservation: 508.
    case capacity
}
