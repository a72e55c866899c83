internal import NetPrimitives

// There is one of each for every allocation, so the fields stand in the order that leaves the fewest gaps.

/// What a client's 5-tuple leads to.
struct ClientEntry: BitwiseCopyable {
    let ipv4: SocketID?
    let ipv6: SocketID?
    let allocation: AllocationID
    /// Zero while nothing is promised yet.
    let expires: Instant

    var meter: UInt32 { allocation.slot }

    /// The relay socket for peers of `family`.
    func relay(_ family: IPAddress.Family) -> SocketID? { family == .ipv4 ? ipv4 : ipv6 }
}

/// One channel of one client, on the way up.
struct ChannelKey: KeyedHashable {
    let flow: Flow
    let number: UInt16

    func hash(into hash: inout KeyedHash) {
        flow.hash(into: &hash)
        number.hash(into: &hash)
    }
}

/// Where a channel leads.
struct ChannelEntry: BitwiseCopyable {
    let peer: Endpoint
    let relay: SocketID
    let meter: UInt32
    let expires: Instant
    let answer: PeerAnswer
}

/// A peer's address as one relay socket sees it.
struct PermissionKey: KeyedHashable {
    let address: IPAddress
    let relay: SocketID

    func hash(into hash: inout KeyedHash) {
        relay.hash(into: &hash)
        address.hash(into: &hash)
    }
}

/// Whom a permitted peer address may talk to.
struct PermissionEntry: BitwiseCopyable {
    let client: Endpoint
    let listener: SocketID
    let meter: UInt32
    let expires: Instant
    let answer: PeerAnswer
}

/// A peer's transport address as one relay socket sees it.
struct PeerKey: KeyedHashable {
    let peer: Endpoint
    let relay: SocketID

    func hash(into hash: inout KeyedHash) {
        relay.hash(into: &hash)
        peer.hash(into: &hash)
    }
}

/// The channel of a peer, on the way down, with the permission that it needs as well.
struct PeerEntry: BitwiseCopyable {
    let client: Endpoint
    let listener: SocketID
    let meter: UInt32
    let channelExpires: Instant
    let permissionExpires: Instant
    let channel: UInt16
    let answer: PeerAnswer
}
