import NetPrimitives
import STUNCore
import TURNRelay

/// What the relay has granted, kept by reading its answers alone. Nothing may be relayed that is not in here.
struct RelayLedger {
    /// One relay socket that is open.
    struct Relay {
        let flow: Flow
        let family: IPAddress.Family
        var expires: Instant?
    }

    private struct PermissionKey: Hashable {
        let flow: Flow
        let address: IPAddress
    }

    private struct ChannelKey: Hashable {
        let flow: Flow
        let number: UInt16
    }

    private struct Channel {
        let peer: Endpoint
        let expires: Instant
    }

    private(set) var relays: [SocketID: Relay] = [:]
    private var permissions: [PermissionKey: Instant] = [:]
    private var channels: [ChannelKey: Channel] = [:]

    mutating func open(_ socket: SocketID, _ endpoint: Endpoint, for flow: Flow) {
        relays[socket] = Relay(flow: flow, family: endpoint.address.family)
    }

    /// Forgets a relay and what was granted for it; a new one on the same 5-tuple begins with nothing.
    mutating func close(_ socket: SocketID) {
        guard let relay = relays.removeValue(forKey: socket) else { return }
        permissions = permissions.filter { $0.key.flow != relay.flow || $0.key.address.family != relay.family }
        channels = channels.filter { $0.key.flow != relay.flow || $0.value.peer.address.family != relay.family }
    }

    /// A success answer to `request`.
    mutating func grant(_ request: RelayRequestText, lifetimeSeconds: UInt32?, to flow: Flow, now: Instant) {
        switch request.method {
        case .allocate, .refresh:
            // With a lifetime of zero the relays that end are closed; the other half of a dual allocation goes on.
            guard let lifetimeSeconds, lifetimeSeconds > 0 else { return }
            for (socket, relay) in relays where relay.flow == flow {
                // An Allocate request that comes again is answered again and prolongs nothing.
                guard relay.expires == nil || request.method == .refresh else { continue }
                // Each half of a dual allocation has its own lifetime.
                guard request.method == .allocate || (request.family ?? relay.family) == relay.family else { continue }
                relays[socket]?.expires = now.advanced(bySeconds: lifetimeSeconds)
            }
        case .createPermission:
            for peer in request.peers { permit(peer.address, flow, now) }
        case .channelBind:
            guard let peer = request.peers.first, let number = request.channels.first else { return }
            permit(peer.address, flow, now)
            let channel = Channel(peer: peer, expires: now.advanced(bySeconds: 600))
            channels[ChannelKey(flow: flow, number: number)] = channel
        default: break
        }
    }

    private mutating func permit(_ address: IPAddress, _ flow: Flow, _ now: Instant) {
        permissions[PermissionKey(flow: flow, address: address)] = now.advanced(bySeconds: 300)
    }

    // MARK: What a verdict may be

    /// Checks that `flow` may send to `peer`, as it knows it, by `forward.socket`.
    func checkUp(
        _ forward: Forward,
        of bytes: RawSpan,
        from flow: Flow,
        to peer: Endpoint,
        now: Instant
    ) throws(FuzzFinding) {
        let end = Int(forward.payloadOffset) + Int(forward.payloadCount)
        try expect(end <= bytes.byteCount, "a payload up to \(end) of \(bytes.byteCount) bytes")
        try expect(forward.framing == .raw, "a peer gets \(forward.framing)")
        try expect(!RelayCast.forbiddenPeers.contains(peer), "a forbidden peer is sent to: \(peer)")
        let relay = try unwrap(relays[forward.socket], "\(forward.socket) is no open relay")
        try expect(relay.flow == flow, "\(flow.client) sends by another's relay")
        try expect(relay.family == peer.address.family, "\(peer) by a relay of the other family")
        try expect(relay.expires.map { now < $0 } ?? false, "\(flow.client) sends by a relay that has expired")
        if let number = bytes.uint16(at: 0), ChannelData.channelNumbers.contains(number) {
            let channel = channels[ChannelKey(flow: flow, number: number)]
            let isBound = channel.map { $0.peer == peer && now < $0.expires } ?? false
            return try expect(isBound, "channel \(number) of \(flow.client) does not lead to \(peer)")
        }
        try expect(isPermitted(peer.address, flow, now), "\(flow.client) has no permission for \(peer)")
    }

    /// Checks that `peer` may send `byteCount` bytes to whom `forward` names.
    func checkDown(
        _ forward: Forward,
        _ byteCount: Int,
        from peer: Endpoint,
        on socket: SocketID,
        now: Instant
    ) throws(FuzzFinding) {
        let relay = try unwrap(relays[socket], "\(socket) is no open relay")
        try expect(relay.expires.map { now < $0 } ?? false, "a peer is heard by a relay that has expired")
        try expect(forward.destination == relay.flow.client, "a peer's datagram goes to \(forward.destination)")
        try expect(forward.socket == relay.flow.socket, "a peer's datagram leaves by \(forward.socket)")
        try expect(forward.payloadOffset == 0 && Int(forward.payloadCount) == byteCount, "a peer's datagram is cut")
        let padding = forward.framing.paddingByteCount(payloadByteCount: byteCount)
        let total = forward.framing.headerByteCount + byteCount + padding
        try expect(total <= 65_507, "a datagram of \(total) bytes")
        try expect(isPermitted(peer.address, relay.flow, now), "\(peer) has no permission of \(relay.flow.client)")
        switch forward.framing {
        case .raw: throw FuzzFinding(description: "a client gets a bare datagram")
        case .dataIndication(let source): try expect(source == peer, "\(peer) is told of as \(source)")
        case .channelData(let number):
            let channel = channels[ChannelKey(flow: relay.flow, number: number)]
            let isBound = channel.map { $0.peer == peer && now < $0.expires } ?? false
            try expect(isBound, "\(peer) is told of as channel \(number)")
        }
    }

    /// Checks that `client` may hear of an ICMP error about what it sent to `peer`.
    func checkNotice(
        of peer: Endpoint,
        to client: Endpoint,
        on socket: SocketID,
        now: Instant
    ) throws(FuzzFinding) {
        let relay = try unwrap(relays[socket], "\(socket) is no open relay")
        try expect(relay.expires.map { now < $0 } ?? false, "an ICMP error is told of a relay that has expired")
        try expect(relay.flow.client == client, "an ICMP error is told to \(client)")
        try expect(isPermitted(peer.address, relay.flow, now), "an ICMP error is told of \(peer) without permission")
    }

    private func isPermitted(_ address: IPAddress, _ flow: Flow, _ now: Instant) -> Bool {
        permissions[PermissionKey(flow: flow, address: address)].map { now < $0 } ?? false
    }
}
