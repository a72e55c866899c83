import NetPrimitives
import STUNCore
import STUNServer
import Testing

@testable import TURNRelay

/// What `route` and `routePeer` must answer, said slowly: by walking the authoritative records and by parsing whole
/// messages. With the packet path it shares the peer policy and the bits of the live relays, and neither the tables nor the
/// parsers.
extension TURNShard {
    borrowing func referenceRoute(_ bytes: [UInt8], from flow: Flow, now: Instant) -> Verdict {
        guard let first = bytes.first else { return .drop(.malformedMessage) }
        switch PacketClass(firstByte: first) {
        case .stun: return referenceMessage(bytes, from: flow, now: now)
        case .channelData: return referenceChannelData(bytes, from: flow, now: now)
        default: return .drop(.unknownProtocol)
        }
    }

    borrowing func referencePeer(_ byteCount: Int, from source: Endpoint, on relay: SocketID, now: Instant) -> Verdict {
        let peer = referenceSeen(source)
        guard
            let allocation = liveAllocations(now).first(where: { $0.liveRelay(peer.address.family, now) == relay }),
            allocation.permissions.contains(where: { $0.address == peer.address && now < $0.expires })
        else { return .drop(.noPermission) }
        guard referenceDestination(peer) != nil else { return .drop(.closedPort) }
        let channel = allocation.channels.first { $0.peer == peer && now < $0.expires }
        let framing = channel.map { Framing.channelData($0.number) } ?? .dataIndication(peer: peer)
        let header = channel == nil ? (peer.address.family == .ipv4 ? 36 : 48) : 4
        let padding = channel == nil ? (4 - byteCount % 4) % 4 : 0
        guard header + byteCount + padding <= 65_507 else { return .drop(.oversize) }
        return .forward(
            Forward(
                payloadOffset: 0,
                payloadCount: UInt16(byteCount),
                framing: framing,
                socket: allocation.flow.socket,
                destination: allocation.flow.client,
                meter: allocation.id.slot
            )
        )
    }

    /// The policy asked anew for every datagram, and the own endpoints looked up in plain lists.
    private borrowing func referenceDestination(_ peer: Endpoint) -> Endpoint? {
        let isService = configuration.peers.ownServices.contains(peer)
        let relay = configuration.liveRelays.addresses.first { address in
            address.external == peer.address
                && configuration.liveRelays.isLive(Endpoint(address: address.bound, port: peer.port))
        }
        let bound = relay.map { Endpoint(address: $0.bound, port: peer.port) }
        return switch configuration.peers.answer(peer.address) {
        case .denied: nil
        case .allowed: peer
        case .allowedExceptServices: isService ? nil : peer
        case .ownRelay: bound
        case .ownRelayOrOther: bound ?? (isService ? nil : peer)
        }
    }

    private borrowing func referenceSeen(_ source: Endpoint) -> Endpoint {
        guard configuration.liveRelays.isLive(source) else { return source }
        let relay = configuration.liveRelays.addresses.first { $0.bound == source.address }
        return Endpoint(address: relay?.external ?? source.address, port: source.port)
    }

    borrowing func liveAllocations(_ now: Instant) -> [Allocation] {
        var live: [Allocation] = []
        for slot in 0..<allocations.slotCount {
            if let allocation = allocations.allocation(inSlot: slot), allocation.isOpen, now < allocation.expires {
                live.append(allocation)
            }
        }
        return live
    }

    private borrowing func referenceChannelData(_ bytes: [UInt8], from flow: Flow, now: Instant) -> Verdict {
        guard bytes.count >= 4 else { return .drop(.malformedChannelData) }
        let number = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
        let count = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        guard bytes.count >= 4 + Int(count) else { return .drop(.malformedChannelData) }
        guard count <= 65_507 else { return .drop(.oversize) }
        guard
            let allocation = liveAllocations(now).first(where: { $0.flow == flow }),
            let channel = allocation.channels.first(where: { $0.number == number && now < $0.expires }),
            let relay = allocation.liveRelay(channel.peer.address.family, now)
        else { return .drop(.unknownChannel) }
        guard let destination = referenceDestination(channel.peer) else { return .drop(.closedPort) }
        return .forward(
            Forward(
                payloadOffset: 4,
                payloadCount: count,
                framing: .raw,
                socket: relay,
                destination: destination,
                meter: allocation.id.slot
            )
        )
    }

    private borrowing func referenceMessage(_ bytes: [UInt8], from flow: Flow, now: Instant) -> Verdict {
        guard bytes.count >= 20 else { return .drop(.malformedMessage) }
        guard MessageType(rawValue: UInt16(bytes[0]) << 8 | UInt16(bytes[1])) == MessageType(.send, .indication) else {
            return .control
        }
        let message: MessageView
        do throws(MessageFailure) {
            message = try MessageView(parsing: bytes.span.rawBytes)
        } catch {
            return .drop(.malformedMessage)
        }
        var reader = message.attributes
        while let attribute = reader.next() {
            let isKnown = Self.knownAttributes.contains(attribute.type)
            guard isKnown || !attribute.type.isComprehensionRequired else { return .drop(.unknownAttribute) }
        }
        guard
            let peer = message.xorAddress(.xorPeerAddress), peer.port != 0, let data = message.dataRange,
            message.dontFragment || !message.contains(.dontFragment)
        else { return .drop(.malformedIndication) }
        guard let allocation = liveAllocations(now).first(where: { $0.flow == flow }) else {
            return .drop(.noAllocation)
        }
        guard let relay = allocation.relays[peer.address.family]?.socket else { return .drop(.familyMismatch) }
        guard
            allocation.liveRelay(peer.address.family, now) == relay,
            allocation.permissions.contains(where: { $0.address == peer.address && now < $0.expires })
        else { return .drop(.noPermission) }
        guard let destination = referenceDestination(peer) else { return .drop(.closedPort) }
        guard message.isFingerprintRight else { return .drop(.badFingerprint) }
        return .forward(
            Forward(
                payloadOffset: UInt16(data.lowerBound),
                payloadCount: UInt16(data.count),
                framing: .raw,
                socket: relay,
                destination: destination,
                meter: allocation.id.slot,
                dontFragment: message.dontFragment && flow.client.address.family == .ipv4
                    && peer.address.family == .ipv4
            )
        )
    }
}

extension Allocation {
    /// The relay socket of one family while its own time lasts.
    fileprivate func liveRelay(_ family: IPAddress.Family, _ now: Instant) -> SocketID? {
        relays[family].flatMap { now < $0.expires ? $0.socket : nil }
    }
}

extension LiveRelayPorts {
    /// Whether a relay socket is bound to `endpoint`, by what the packet path asks: where the outside's endpoint leads.
    func isLive(_ endpoint: Endpoint) -> Bool {
        addresses.contains { address in
            address.bound == endpoint.address
                && reader.bound(Endpoint(address: address.external, port: endpoint.port)) == endpoint
        }
    }
}

extension Verdict {
    /// The verdict with one name for everything that can be wrong with an indication: which of several faults is met
    /// first is nobody's business.
    var withoutFault: Verdict {
        switch self {
        case .drop(.malformedIndication), .drop(.unknownAttribute): .drop(.malformedMessage)
        case .drop, .forward, .control: self
        }
    }
}

extension TURNShard {
    /// Compares both sides of every pair that must agree, and every limit.
    borrowing func checkInvariants(_ context: String) {
        var expected = 0
        var total = 0
        for slot in 0..<allocations.slotCount {
            guard let allocation = allocations.allocation(inSlot: slot) else { continue }
            total += 1
            let found = flows.allocation(of: allocation.flow)
            #expect(found == allocation.id, "\(context): found by its 5-tuple")
            #expect(allocations[allocation.id]?.flow == allocation.flow, "\(context): found by its name")
            #expect(Int(allocation.id.slot) == slot, "\(context): the slot is the meter")
            let permissions = allocation.permissions.map(\.address)
            let numbers = allocation.channels.map(\.number)
            let peers = allocation.channels.map(\.peer)
            #expect(Set(permissions).count == permissions.count, "\(context): one permission an address")
            #expect(Set(numbers).count == numbers.count, "\(context): one peer a channel")
            #expect(Set(peers).count == peers.count, "\(context): one channel a peer")
            #expect(permissions.count <= configuration.limits.permissionsPerAllocation, "\(context)")
            #expect(numbers.count <= configuration.limits.channelsPerAllocation, "\(context)")
            for family in permissions.map(\.family) + peers.map(\.address.family) {
                #expect(allocation.relays[family] != nil, "\(context): a peer is of a family that is relayed")
            }
            guard allocation.isOpen else { continue }
            expected += 1 + permissions.count + 2 * numbers.count
            let ends = [allocation.relays.first, allocation.relays.second].compactMap { $0?.expires }
            #expect(allocation.expires == ends.max(), "\(context): an allocation ends with its last relayed address")
        }
        #expect(total == allocations.count, "\(context): every allocation has a slot")
        #expect(total <= configuration.limits.allocationsPerShard, "\(context)")
        #expect(flows.count == expected, "\(context): the view shows what there is and nothing else")
    }
}
