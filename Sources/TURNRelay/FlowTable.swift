internal import NetPrimitives

/// The fast path's view of the allocations: what `route` needs, in flat tables, and nothing else.
///
/// Derived from the authoritative `Allocation`s and changed by `install`, `renew` and `remove` alone. Every entry
/// carries the moment it stops being true, so a late sweep is harmless.
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
            let entry = permissions.value(for: PermissionKey(relay: relay, address: address)),
            now < entry.expires
        else { return nil }
        return entry
    }

    /// The channel of `peer`, expired or not: its entry says when channel and permission end.
    borrowing func peer(_ peer: Endpoint, on relay: SocketID) -> PeerEntry? {
        peers.value(for: PeerKey(relay: relay, peer: peer))
    }

    // MARK: Changing

    /// Shows an allocation that has just got its relay sockets, or lost one of them.
    mutating func install(_ allocation: borrowing Allocation) {
        renew(allocation)
    }

    /// Shows everything that an allocation has now: new permissions and channels, and new times of the old ones.
    mutating func renew(_ allocation: borrowing Allocation) {
        guard allocation.isOpen else { return }
        let meter = allocation.id.slot
        let flow = allocation.flow
        clients.insert(
            ClientEntry(
                ipv4: allocation.relay(.ipv4),
                ipv6: allocation.relay(.ipv6),
                meter: meter,
                expires: allocation.expires
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
                for: PermissionKey(relay: relay.socket, address: permission.address)
            )
        }
        for channel in allocation.channels {
            guard let relay = allocation.relays[channel.peer.address.family] else { continue }
            let permission = allocation.permission(channel.peer.address)
            let expires = min(channel.expires, relay.expires)
            channels.insert(
                ChannelEntry(
                    relay: relay.socket,
                    peer: channel.peer,
                    answer: channel.answer,
                    meter: meter,
                    expires: expires
                ),
                for: ChannelKey(flow: flow, number: channel.number)
            )
            peers.insert(
                PeerEntry(
                    client: flow.client,
                    listener: flow.socket,
                    meter: meter,
                    channel: channel.number,
                    answer: channel.answer,
                    channelExpires: expires,
                    permissionExpires: min(permission?.expires ?? Instant(nanoseconds: 0), relay.expires)
                ),
                for: PeerKey(relay: relay.socket, peer: channel.peer)
            )
        }
    }

    /// Hides a permission that has expired.
    mutating func remove(_ permission: Permission, of allocation: borrowing Allocation) {
        guard let relay = allocation.relay(permission.address.family) else { return }
        permissions.removeValue(for: PermissionKey(relay: relay, address: permission.address))
    }

    /// Hides a channel that has expired.
    mutating func remove(_ channel: ChannelBinding, of allocation: borrowing Allocation) {
        guard let relay = allocation.relay(channel.peer.address.family) else { return }
        channels.removeValue(for: ChannelKey(flow: allocation.flow, number: channel.number))
        peers.removeValue(for: PeerKey(relay: relay, peer: channel.peer))
    }

    /// Hides an allocation with all it has.
    mutating func remove(_ allocation: borrowing Allocation) {
        for permission in allocation.permissions { remove(permission, of: allocation) }
        for channel in allocation.channels { remove(channel, of: allocation) }
        if allocation.isOpen { clients.removeValue(for: allocation.flow) }
    }
}
