public import NetPrimitives

/// What a shard is told once, at its start.
public struct TURNConfiguration: Sendable {
    /// Where the allocations of clients live that reached a listener not named in `relaysByListener`.
    public var relays: RelayAddresses
    /// Where allocations live, by the listening socket that the client reached.
    public var relaysByListener: [SocketID: RelayAddresses] = [:]
    /// Which peers may be reached.
    public var peers: PeerPolicy
    /// At which ports of the own relay addresses relays live, in all shards together.
    public var liveRelays = LiveRelayPorts([])
    /// How much of everything a client may have.
    public var limits = TURNLimits()

    /// A configuration with the limits and lifetimes of RFC 8656.
    public init(relays: RelayAddresses, peers: PeerPolicy) {
        self.relays = relays
        self.peers = peers
    }

    /// Where the allocations of clients live that reached `listener`.
    func relays(at listener: SocketID) -> RelayAddresses { relaysByListener[listener] ?? relays }

    /// What a client of `listener` is told instead of `bound`; a reserved port may be one of another listener's address.
    func external(of bound: IPAddress, at listener: SocketID) -> IPAddress {
        for addresses in [relays(at: listener), relays] + relaysByListener.values {
            if let address = addresses[bound.family], address.bound == bound { return address.external }
        }
        return bound
    }
}

/// Bounds on everything that requests can make grow, and the lifetimes of RFC 8656.
public struct TURNLimits: Sendable, Hashable {
    /// Allocations of one shard, pending ones included; the next is answered 508.
    public var allocationsPerShard = 65_536
    /// Addresses an allocation may have permissions for at a time; the next is answered 508.
    public var permissionsPerAllocation = 64
    /// Channels an allocation may have bound at a time; the next is answered 508.
    public var channelsPerAllocation = 64
    /// Peer addresses read from one CreatePermission request; more are answered 508.
    public var peersPerRequest = 16
    /// Ended calls whose credentials a shard refuses; with more, the one that ended first is forgotten.
    public var endedCallsPerShard = 65_536
    /// Unauthenticated answers (400, 401, 438) a second to one source over UDP; zero means no limit.
    public var unauthenticatedRepliesPerSecond: UInt32 = 50
    /// ICMP errors that one client is told of in a second; further ones are dropped. Zero tells of none.
    public var icmpPerSecond: UInt32 = 20
    /// Lifetime of an allocation that asks for none, in seconds (RFC 8656 §7.2).
    public var defaultLifetimeSeconds: UInt32 = 600
    /// The longest lifetime an allocation may ask for, in seconds (RFC 8656 §7.2).
    public var maximumLifetimeSeconds: UInt32 = 3600
    /// Lifetime of a permission, in seconds (RFC 8656 §9).
    public var permissionSeconds: UInt32 = 300
    /// Lifetime of a channel binding, in seconds (RFC 8656 §12).
    public var channelSeconds: UInt32 = 600

    /// The defaults.
    public init() {}
}
