internal import NetPrimitives
internal import STUNCore
public import STUNServer

/// One shard's TURN server: bytes, sender and time in; verdicts and effects out.
///
/// `route` and `routePeer` relay and change nothing; `handle`, `relayOpened` and `sweep` change state and say in effects
/// what the shell has to do. Nothing here opens a socket, reads a clock or draws a random number.
public struct TURNShard: ~Copyable {
    /// The comprehension-required attributes that requests may carry. DONT-FRAGMENT and RESERVATION-TOKEN are not among
    /// them: they are refused with 420 rather than ignored.
    static let knownAttributes = KnownAttributes.stun.union(
        KnownAttributes([
            .channelNumber, .lifetime, .xorPeerAddress, .data, .xorRelayedAddress, .requestedAddressFamily, .evenPort,
            .requestedTransport,
        ])
    )

    let configuration: TURNConfiguration
    let authenticator: Authenticator
    var budget: UnauthenticatedReplyBudget
    var allocations: AllocationTable
    var flows: FlowTable
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
        allocations = AllocationTable(limit: configuration.limits.allocationsPerShard)
        flows = FlowTable(seed: tableSeed)
    }

    /// Number of allocations, those included that still wait for their socket.
    public var allocationCount: Int { allocations.count }
}
