public import NetPrimitives
public import TURNRelay

/// What the relay tells whoever accounts for its use. Sent from a shard's thread: take it and return, never wait.
public enum RelayNotice: Hashable, Sendable {
    /// An allocation lives; `username` is the whole USERNAME it was made with.
    case allocationOpened(username: String, client: Endpoint, relayed: Endpoint)
    /// An allocation is gone, having relayed this much.
    case allocationClosed(username: String, cause: CloseCause, traffic: RelayTraffic)
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
