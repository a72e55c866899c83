internal import NetPrimitives

/// The fast path's view of the allocations: what `route` needs, in flat tables, and nothing else.
///
/// Derived from the authoritative `Allocation`s and changed by `show` and `remove` alone. Every entry carries the moment it
/// stops being true, so a late sweep is harmless.
struct FlowTable: ~Copyable {
    private var clients: OpenTable<Flow, ClientEntry>
    private var channels: OpenTable<ChannelKey, ChannelEntry>
    private var permissions: OpenTable<PermissionKey, PermissionEntry>
    private var peers: OpenTable<PeerKey, PeerEntry>

    init(seed: UInt64) {
        clients = OpenTable(minimumCapacity: 64, seed: seed)
        channels = OpenTable(minimumCapacity: 64, seed: seed)
        permissions = OpenTable(minimumCapacity: 64, seed: seed)
        peers = OpenTable(minimumCapacity: 64, seed: seed)
    }

    /// Number of entries of all kinds.
    var count: Int { clients.count + channels.count + permissions.count + peers.count }

    // MARK: Reading

    /// The allocation of a 5-tuple, expired or not.
    borrowing func allocation(of flow: Flow) -> AllocationID? { clients.value(for: flow)?.allocation }

    borrowing func client(_ flow: Flow, now: Instant) -> ClientEntry? {
        guard let entry = clients.value(for: flow), now < entry.expires else { return nil }
        return entry
    }

    borrowing func channel(_ number: UInt16, of flow: Flow, now: Instant) -> ChannelEntry? {
        guard let entry = channels.value(for: ChannelKey(flow: flow, number: number)), now < entry.expires else {
            return nil
        }
        return entry
    }

    borrowing func permission(_ address: IPAddress, on relay: SocketID, now: Instant) -> PermissionEntry? {
        guard
            let entry = permissions.value(for: PermissionKey(address: address, relay: relay)),
            now < entry.expires
        else { return nil }
        return entry
    }

    /// The channel of `peer`, expired or not: its entry says when channel and permission end.
    borrowing func peer(_ peer: Endpoint, on relay: SocketID) -> PeerEntry? {
        peers.value(for: PeerKey(peer: peer, relay: relay))
    }

    // MARK: Changing

    /// Shows everything that an allocation has now: new permissions and channels, and new times of the old ones. One that
    /// still waits for its sockets takes its 5-tuple, and nothing passes.
    mutating func show(_ allocation: borrowing Allocation) {
        let meter = allocation.id.slot
        let flow = allocation.flow
        clients.insert(
            ClientEntry(
                ipv4: allocation.relay(.ipv4),
                ipv6: allocation.relay(.ipv6),
                allocation: allocation.id,
                expires: allocation.isOpen ? allocation.expires : Instant(nanoseconds: 0)
            ),
            for: flow
        )
        for permission in allocation.permissions {
            guard let relay = allocation.relays[permission.address.family] else { continue }
            permissions.insert(
                PermissionEntry(
                    client: flow.client,
                    listener: flow.socket,
                    meter: meter,
                    expires: min(permission.expires, relay.expires),
                    answer: permission.answer
                ),
                for: PermissionKey(address: permission.address, relay: relay.socket)
            )
        }
        for channel in allocation.channels {
            guard let relay = allocation.relays[channel.peer.address.family] else { continue }
            let permission = allocation.permission(channel.peer.address)
            let expires = min(channel.expires, relay.expires)
            channels.insert(
                ChannelEntry(
                    peer: channel.peer,
                    relay: relay.socket,
                    meter: meter,
                    expires: expires,
                    answer: channel.answer
                ),
                for: ChannelKey(flow: flow, number: channel.number)
            )
            peers.insert(
                PeerEntry(
                    client: flow.client,
                    listener: flow.socket,
                    meter: meter,
                    channelExpires: expires,
                    permissionExpires: min(permission?.expires ?? Instant(nanoseconds: 0), relay.expires),
                    channel: channel.number,
                    answer: channel.answer
                ),
                for: PeerKey(peer: channel.peer, relay: relay.socket)
            )
        }
    }

    /// Hides a permission that has expired.
    mutating func remove(_ permission: Permission, of allocation: borrowing Allocation) {
        guard let relay = allocation.relay(permission.address.family) else { return }
        permissions.removeValue(for: PermissionKey(address: permission.address, relay: relay))
    }

    /// Hides a channel that has expired.
    mutating func remove(_ channel: ChannelBinding, of allocation: borrowing Allocation) {
        guard let relay = allocation.relay(channel.peer.address.family) else { return }
        channels.removeValue(for: ChannelKey(flow: allocation.flow, number: channel.number))
        peers.removeValue(for: PeerKey(peer: channel.peer, relay: relay))
    }

    /// Hides an allocation with all it has.
    mutating func remove(_ allocation: borrowing Allocation) {
        for permission in allocation.permissions { remove(permission, of: allocation) }
        for channel in allocation.channels { remove(channel, of: allocation) }
        clients.removeValue(for: allocation.flow)
    }
}
