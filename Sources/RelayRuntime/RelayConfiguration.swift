public import NetPrimitives
public import STUNServer
public import TURNRelay

/// What the relay is told at its start: typed, but not yet checked against this machine, which `RelayService.start`
/// does.
public struct RelayConfiguration: Sendable {
    /// Addresses to listen on; an unspecified one (0.0.0.0, ::) stands for the machine's interface addresses.
    public var listenAddresses: [IPAddress] = []
    /// The UDP port to listen on; 0 lets the system choose one for each address, for tests.
    public var port: UInt16 = 3478
    /// Where relay sockets bind, at most one address a family. A family without one uses the address that the client
    /// reached or, behind an external address, one for all clients.
    public var relayAddresses: [IPAddress] = []
    /// What clients are told instead of the bound address, at most one a family (a 1:1 NAT in front of this machine).
    public var externalAddresses: [IPAddress] = []
    /// The ports that relay sockets may have, ends included.
    public var relayPorts: ClosedRange<UInt16> = 49152...65535
    /// Shards, each a thread; the processors of the affinity mask if nil.
    public var workers: Int?
    /// Who may use the relay, and the realm.
    public var credentials: CredentialBook
    /// Peers that may be reached although `deniedPeers` names them.
    public var allowedPeers: [IPPrefix] = []
    /// Peers that may not be reached; what `PeerPolicy.neverAllowed` names is refused in any case.
    public var deniedPeers: [IPPrefix] = PeerPolicy.defaultDenied
    /// What else this server listens on and where it keeps its state (HTTP, metrics, database, Redis): never peers. Port
    /// zero stands for a port that is not known yet, and closes the address alone.
    public var ownServices: [Endpoint] = []
    /// Relayed addresses and reserved ports of one user; zero means no limit.
    public var userQuota = 100
    /// Relayed addresses and reserved ports of the server; zero means no limit.
    public var totalQuota = 0
    /// How fast may be relayed.
    public var bandwidth = BandwidthLimits()
    /// Datagrams that a shard collects before it sends them: as many as it can receive, and fewer in tests alone.
    var batchCapacity = RelayShard.Bounds.slots
    /// Calls that were over before the start and of which a credential may still be good, the oldest first.
    public var endedCalls: [EndedCall] = []
    /// Bounds and lifetimes of the protocol, the budget of unauthenticated replies among them.
    public var limits = TURNLimits()

    /// A configuration with the documented defaults, listening on `listenAddresses`.
    public init(listenAddresses: [IPAddress], credentials: CredentialBook) {
        self.listenAddresses = listenAddresses
        self.credentials = credentials
    }
}
