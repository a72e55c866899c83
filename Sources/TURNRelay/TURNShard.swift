internal import NetPrimitives
internal import STUNCore
public import STUNServer

/// One shard's TURN server: bytes, sender and time in; verdicts and effects out.
///
/// `route` and `routePeer` relay and change nothing. `handle`, `relayOpened`, `handleICMP`, `sweep`, `endCall` and
/// `closeAll` change state and say in effects what the shell has to do; `drain` and `replaceCredentials` change what
/// holds for later requests. Nothing here opens a socket or reads a clock, and randomness comes from the caller.
public struct TURNShard: ~Copyable {
    /// The comprehension-required attributes that requests may carry. DONT-FRAGMENT among them tells the client of an
    /// Allocate request that Send indications may ask for it (RFC 8656 §7.2); elsewhere it is known and means nothing.
    static let knownAttributes = KnownAttributes.stun.union(
        KnownAttributes([
            .channelNumber, .lifetime, .xorPeerAddress, .data, .xorRelayedAddress, .requestedAddressFamily, .evenPort,
            .requestedTransport, .dontFragment, .reservationToken,
        ])
    )

    let configuration: TURNConfiguration
    private(set) var authenticator: Authenticator
    var budget: UnauthenticatedReplyBudget
    var allocations: AllocationTable
    var flows: FlowTable
    let own: OwnEndpoints
    var endedCalls: EndedCalls
    /// Where new clients are sent; nobody before the drain.
    var alternates = AlternateServers()
    /// The slot that the next sweep begins at.
    var sweepCursor = 0

    /// A shard without allocations.
    ///
    /// `nonceKey` is the same for all shards, so that a nonce outlives a change of shard. `tableSeed` keys the hash
    /// tables and has to be random.
    public init(
        configuration: TURNConfiguration,
        credentials: CredentialBook,
        nonceKey: NonceKey,
        tableSeed: UInt64
    ) {
        self.configuration = configuration
        authenticator = Authenticator(credentials: credentials, nonceKey: nonceKey)
        budget = UnauthenticatedReplyBudget(
            repliesPerSecond: configuration.limits.unauthenticatedRepliesPerSecond,
            tableSeed: tableSeed
        )
        endedCalls = EndedCalls(limit: configuration.limits.endedCallsPerShard)
        allocations = AllocationTable(limit: configuration.limits.allocationsPerShard)
        flows = FlowTable(seed: tableSeed)
        own = OwnEndpoints(
            services: configuration.peers.ownServices,
            relays: configuration.liveRelays,
            seed: tableSeed
        )
    }

    /// Number of allocations, those included that still wait for their socket.
    public var allocationCount: Int { allocations.count }

    /// The allocation of a 5-tuple, expired or not.
    func allocation(of flow: Flow) -> Allocation? { flows.allocation(of: flow).flatMap { allocations[$0] } }

    /// Takes another book for all that comes from now on. Allocations keep the keys that they were made with.
    public mutating func replaceCredentials(_ credentials: CredentialBook) {
        authenticator = authenticator.replacing(credentials)
    }

    /// Number of places that a sweep has to visit before it has seen every allocation.
    public var sweepSpan: Int { allocations.slotCount }
}
