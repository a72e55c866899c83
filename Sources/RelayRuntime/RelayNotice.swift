public import NetPrimitives
public import TURNRelay

/// What the relay tells whoever accounts for its use. Sent from a shard's thread: take it and return, never wait.
public enum RelayNotice: Hashable, Sendable {
    /// An allocation lives, a dual one with an `additional` relayed address; `username` is the whole USERNAME it was made
    /// with.
    case allocationOpened(
        RelayAllocation,
        username: String,
        client: Endpoint,
        relayed: Endpoint,
        additional: Endpoint?
    )
    /// What an allocation that was made for a call has relayed up to now. Told every few seconds while it relays.
    case allocationTraffic(RelayAllocation, traffic: RelayTraffic)
    /// An allocation is gone, having relayed this much.
    case allocationClosed(RelayAllocation, username: String, cause: CloseCause, traffic: RelayTraffic)
}

/// The name of one allocation of this server.
public struct RelayAllocation: Hashable, Sendable {
    /// The shard that has it.
    public let shard: Int
    /// Its name there.
    public let id: AllocationID

    /// Names the allocation that `shard` calls `id`.
    public init(shard: Int, id: AllocationID) {
        self.shard = shard
        self.id = id
    }
}

/// Payload relayed for one allocation, without headers.
public struct RelayTraffic: Hashable, Sendable, BitwiseCopyable {
    /// Datagrams from the client to its peers.
    public var datagramsToPeers: UInt64 = 0
    /// Bytes from the client to its peers.
    public var bytesToPeers: UInt64 = 0
    /// Datagrams from peers to the client.
    public var datagramsToClient: UInt64 = 0
    /// Bytes from peers to the client.
    public var bytesToClient: UInt64 = 0

    /// Nothing yet.
    public init() {}
}
