public import NetPrimitives

/// Which relay socket an allocation needs.
public struct RelayRequest: Hashable, Sendable, BitwiseCopyable {
    /// The address to bind.
    public let address: IPAddress
    /// What the client asked about the port number.
    public let parity: PortParity
    /// Who is charged for it: UTF-8 in the queue's arena, the key of the per-user quota.
    public let user: ArenaSlice
}

/// A client's wish about the port's lowest bit (EVEN-PORT, RFC 8656 §18.7).
public enum PortParity: UInt8, Hashable, Sendable, BitwiseCopyable {
    case any, even
}

/// How the shell answers `Effect.openRelay`.
public enum RelayOpenOutcome: Hashable, Sendable, BitwiseCopyable {
    /// A socket is bound to `endpoint`, the address as bound, not as seen from outside.
    case opened(SocketID, Endpoint)
    /// The user or the server has all the allocations it may have: 486.
    case quota
    /// Out of ports, descriptors or memory: 508.
    case capacity
}
