public import NetPrimitives
internal import STUNCore

extension TURNShard {
    /// The most bytes that a UDP datagram over IPv4 can carry.
    static var longestDatagram: Int { 65_507 }

    /// Decides about a datagram from a client without changing anything.
    ///
    /// ChannelData and Send indications are decided here for good; every other STUN message is `control`.
    ///
    /// Mutating in name alone, as `routePeer` is: a borrow of what the caller stores has the compiler copy the whole shard for
    /// every datagram.
    public mutating func route(_ bytes: RawSpan, from flow: Flow, now: Instant) -> Verdict {
        guard let first = bytes.uint8(at: 0) else { return .drop(.malformedMessage) }
        switch first {
        case 0...3:
            guard bytes.byteCount >= 20, let type = bytes.uint16(at: 0) else { return .drop(.malformedMessage) }
            return type == SendIndication.messageType ? routeSend(bytes, from: flow, now: now) : .control
        case 64...79:
            return routeChannelData(bytes, from: flow, now: now)
        default:
            return .drop(.unknownProtocol)
        }
    }

    /// Decides about a datagram of `byteCount` opaque bytes that a peer sent to a relay socket.
    ///
    /// A permission is needed in any case; a channel only chooses the shorter framing (RFC 8656 §11.3, §12.6).
    public mutating func routePeer(
        byteCount: Int,
        from source: Endpoint,
        on relay: SocketID,
        now: Instant
    ) -> Verdict {
        let peer = own.peer(source)
        if let entry = flows.peer(peer, on: relay) {
            guard now < entry.permissionExpires else { return .drop(.noPermission) }
            guard own.destination(peer, entry.answer) != nil else { return .drop(.closedPort) }
            let isChannel = now < entry.channelExpires
            return deliver(
                byteCount,
                isChannel ? .channelData(entry.channel) : .dataIndication(peer: peer),
                to: entry.client,
                by: entry.listener,
                meter: entry.meter
            )
        }
        guard let entry = flows.permission(peer.address, on: relay, now: now) else { return .drop(.noPermission) }
        guard own.destination(peer, entry.answer) != nil else { return .drop(.closedPort) }
        return deliver(
            byteCount,
            .dataIndication(peer: peer),
            to: entry.client,
            by: entry.listener,
            meter: entry.meter
        )
    }

    private mutating func routeChannelData(_ bytes: RawSpan, from flow: Flow, now: Instant) -> Verdict {
        guard
            let number = bytes.uint16(at: 0),
            let count = bytes.uint16(at: 2),
            // UDP needs no padding and allows it, so the datagram may be longer than its payload.
            Int(count) &+ 4 <= bytes.byteCount
        else { return .drop(.malformedChannelData) }
        guard Int(count) <= Self.longestDatagram else { return .drop(.oversize) }
        guard let entry = flows.channel(number, of: flow, now: now) else { return .drop(.unknownChannel) }
        guard let destination = own.destination(entry.peer, entry.answer) else { return .drop(.closedPort) }
        return .forward(
            Forward(
                payloadOffset: 4,
                payloadCount: count,
                framing: .raw,
                socket: entry.relay,
                destination: destination,
                meter: entry.meter
            )
        )
    }

    private mutating func routeSend(_ bytes: RawSpan, from flow: Flow, now: Instant) -> Verdict {
        let indication: SendIndication
        switch SendIndication.scan(bytes) {
        case .found(let found): indication = found
        case .drop(let reason): return .drop(reason)
        }
        guard let client = flows.client(flow, now: now) else { return .drop(.noAllocation) }
        guard let relay = client.relay(indication.peer.address.family) else { return .drop(.familyMismatch) }
        guard let permission = flows.permission(indication.peer.address, on: relay, now: now) else {
            return .drop(.noPermission)
        }
        guard let destination = own.destination(indication.peer, permission.answer) else { return .drop(.closedPort) }
        guard indication.hasRightFingerprint(in: bytes) else { return .drop(.badFingerprint) }
        return .forward(
            Forward(
                payloadOffset: indication.dataOffset,
                payloadCount: indication.dataCount,
                framing: .raw,
                socket: relay,
                destination: destination,
                meter: client.meter,
                // Where either side is IPv6 the server must ignore it (RFC 8656 §13).
                dontFragment: indication.dontFragment && indication.peer.address.family == .ipv4
                    && flow.client.address.family == .ipv4
            )
        )
    }

    private mutating func deliver(
        _ byteCount: Int,
        _ framing: Framing,
        to client: Endpoint,
        by listener: SocketID,
        meter: UInt32
    ) -> Verdict {
        guard
            byteCount >= 0,
            byteCount &+ framing.headerByteCount &+ framing.paddingByteCount(payloadByteCount: byteCount)
                <= Self.longestDatagram
        else { return .drop(.oversize) }
        return .forward(
            Forward(
                payloadOffset: 0,
                payloadCount: UInt16(truncatingIfNeeded: byteCount),
                framing: framing,
                socket: listener,
                destination: client,
                meter: meter
            )
        )
    }
}
