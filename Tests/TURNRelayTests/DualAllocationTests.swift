import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@testable import TURNRelay

@Suite("Dual allocations (RFC 8656 §7.2, ADDITIONAL-ADDRESS-FAMILY)")
struct DualAllocationTests {
    private static let ipv6 = IPAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 1)
    private static let peer4 = "203.0.113.9:7"
    private static let peer6 = "[2001:db8::9]:7"

    private func dualStack(
        ports: ClosedRange<UInt16> = 49_152...65_535,
        quota: Int = 0
    ) throws -> TURNScenario {
        try TURNScenario(ports: ports, quota: quota) { $0.relays.ipv6 = RelayAddress(bound: Self.ipv6) }
    }

    @Test("one allocation with a relayed address of each family, told again to a retransmission, reported once")
    func both() throws {
        var relay = try dualStack()
        let alice = try relay.client("198.51.100.7:40000")
        let bytes = relay.requestBytes(.allocate, from: alice) { builder in
            builder.appendRequestedTransport(.udp)
            builder.appendAdditionalAddressFamily(.ipv6)
        }
        relay.deliver(bytes, from: alice.flow)
        let first = relay.takeSent()
        let reply = try Reply(try #require(first.first).bytes, for: alice)
        #expect(reply.isSuccess && reply.isSealed && reply.addressError == nil && reply.lifetime == 600)
        #expect(reply.allRelayed.map(\.address.family) == [.ipv4, .ipv6])
        #expect(reply.allRelayed.last?.address == Self.ipv6)
        #expect(relay.leases.count == 2 && relay.shard.allocationCount == 1)
        let opened = relay.takeEvents().compactMap { event -> [Endpoint?]? in
            guard case .allocationOpened(_, _, let relayed, let additional, _) = event else { return nil }
            return [relayed, additional]
        }
        #expect(opened == [reply.allRelayed])
        relay.deliver(bytes, from: alice.flow)
        #expect(relay.takeSent() == first)
    }

    @Test("peers of both families are permitted, bound and reached, each by the relay of its family")
    func mixedPeers() throws {
        var relay = try dualStack()
        let alice = try relay.client("[2001:db8:7::1]:40000")
        #expect(try relay.allocate(alice) { $0.appendAdditionalAddressFamily(.ipv6) }.isSuccess)
        #expect(try relay.permit(alice, "203.0.113.9", "2001:db8::9").isSuccess, "both in one request")
        #expect(try relay.bind(alice, 0x4000, Self.peer4).isSuccess)
        #expect(try relay.bind(alice, 0x4001, Self.peer6).isSuccess)
        for (peer, channel) in [(Self.peer4, 0x4000), (Self.peer6, 0x4001)] as [(String, UInt16)] {
            let endpoint = try Endpoint(parsing: peer)
            let socket = try relay.relay(of: alice, endpoint.address.family)
            let up = Delivery(framing: .raw, destination: endpoint)
            #expect(try relay.send([1], from: alice, to: peer).delivery == up)
            #expect(relay.send([1], from: alice, by: channel).delivery == up)
            guard case .forward(let forward) = relay.send([1], from: alice, by: channel) else { continue }
            #expect(forward.socket == socket)
            let down = Delivery(framing: .channelData(channel), destination: alice.flow.client)
            #expect(try relay.peerSends(from: peer, to: alice).delivery == down)
        }
        let foreign = try relay.relay(of: alice, .ipv4)
        let misled = relay.shard.routePeer(
            byteCount: 1,
            from: try Endpoint(parsing: Self.peer6),
            on: foreign,
            now: relay.now
        )
        #expect(misled == .drop(.noPermission), "a permission belongs to the relay of its family")
    }

    @Test("400: the additional family is not IPv6, or stands beside what excludes it")
    func badRequests() throws {
        var relay = try dualStack()
        let alice = try relay.client("198.51.100.7:40000")
        let asking: [(inout MessageBuilder) -> Void] = [
            { $0.appendAdditionalAddressFamily(.ipv4) },
            { $0.append(.additionalAddressFamily, text: "\u{3}\0\0\0") },
            { $0.append(.additionalAddressFamily, text: "\u{2}") },
            { builder in
                builder.appendAdditionalAddressFamily(.ipv6)
                builder.appendRequestedAddressFamily(.ipv4)
            },
            { builder in
                builder.appendAdditionalAddressFamily(.ipv6)
                builder.appendReservationToken(ReservationToken(bits: 1))
            },
            { builder in
                builder.appendAdditionalAddressFamily(.ipv6)
                builder.appendEvenPort(EvenPort(reservesNextPort: true))
            },
        ]
        for attributes in asking {
            #expect(try relay.allocate(alice, asking: attributes).code == 400)
        }
        #expect(relay.leases.isEmpty && relay.shard.allocationCount == 0)
        let even = try relay.allocate(alice) { builder in
            builder.appendAdditionalAddressFamily(.ipv6)
            builder.appendEvenPort(EvenPort(reservesNextPort: false))
        }
        #expect(even.allRelayed.map { $0.port.isMultiple(of: 2) } == [true, true])
    }

    @Test("the number of the attribute's draft, which coturn's clients send, means the same")
    func draftNumber() throws {
        var relay = try dualStack()
        let alice = try relay.client("198.51.100.7:40000")
        let both = try relay.allocate(alice) { $0.append(.draftAdditionalAddressFamily, text: "\u{2}\0\0\0") }
        #expect(both.allRelayed.map(\.address.family) == [.ipv4, .ipv6])
        for (number, other) in ["\u{1}\0\0\0", "\u{2}", "", "something of somebody's own"].enumerated() {
            let client = try relay.client("198.51.100.7:4100\(number)")
            let reply = try relay.allocate(client) { $0.append(.draftAdditionalAddressFamily, text: other) }
            #expect(reply.allRelayed.map(\.address.family) == [.ipv4])
        }
    }

    @Test("a family that is not served is named in ADDRESS-ERROR-CODE 440; if neither is, the request gets 440")
    func unservedFamily() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let reply = try relay.allocate(alice) { $0.appendAdditionalAddressFamily(.ipv6) }
        #expect(reply.isSuccess && reply.allRelayed.map(\.address.family) == [.ipv4])
        #expect(reply.addressError == AddressErrorCode(family: .ipv6, code: .addressFamilyNotSupported))
        #expect(try relay.permit(alice, "2001:db8::9").code == 443)

        var only6 = try TURNScenario { $0.relays = RelayAddresses(ipv6: RelayAddress(bound: Self.ipv6)) }
        let half = try only6.allocate(alice) { $0.appendAdditionalAddressFamily(.ipv6) }
        #expect(half.isSuccess && half.allRelayed.map(\.address) == [Self.ipv6])
        #expect(half.addressError == AddressErrorCode(family: .ipv4, code: .addressFamilyNotSupported))
        let bob = try only6.client("198.51.100.8:40000", user: "bob")
        #expect(try only6.exchange(only6.allocateBytes(bob), bob).code == 440, "absent means IPv4")

        var none = try TURNScenario { $0.relays = RelayAddresses() }
        #expect(try none.allocate(alice) { $0.appendAdditionalAddressFamily(.ipv6) }.code == 440)
    }

    @Test("a family without a free port is named in ADDRESS-ERROR-CODE 508; if neither has one, the request gets 508")
    func exhaustedFamily() throws {
        var relay = try dualStack(ports: 50_000...50_000)
        let clients = try (0..<4).map { try relay.client("198.51.100.7:4000\($0)") }
        try relay.allocate(clients[0])
        let second = try relay.allocate(clients[1]) { $0.appendAdditionalAddressFamily(.ipv6) }
        #expect(second.isSuccess && second.allRelayed.map(\.address.family) == [.ipv6])
        #expect(second.addressError == AddressErrorCode(family: .ipv4, code: .insufficientCapacity))
        #expect(try relay.allocate(clients[2]) { $0.appendAdditionalAddressFamily(.ipv6) }.code == 508)
        _ = try relay.refresh(clients[0], lifetime: 0)
        let third = try relay.allocate(clients[3]) { $0.appendAdditionalAddressFamily(.ipv6) }
        #expect(third.isSuccess && third.allRelayed.map(\.address.family) == [.ipv4])
        #expect(third.addressError == AddressErrorCode(family: .ipv6, code: .insufficientCapacity))
    }

    @Test("each relayed address counts against the quota: 486 if there is room for none, one family if for one")
    func quota() throws {
        var relay = try dualStack(quota: 3)
        let clients = try (0..<4).map { try relay.client("198.51.100.7:4000\($0)") }
        #expect(try relay.allocate(clients[0]) { $0.appendAdditionalAddressFamily(.ipv6) }.allRelayed.count == 2)
        let half = try relay.allocate(clients[1]) { $0.appendAdditionalAddressFamily(.ipv6) }
        #expect(half.isSuccess && half.allRelayed.map(\.address.family) == [.ipv4])
        #expect(half.addressError == AddressErrorCode(family: .ipv6, code: .insufficientCapacity))
        #expect(try relay.allocate(clients[2]) { $0.appendAdditionalAddressFamily(.ipv6) }.code == 486)
        #expect(try relay.refresh(clients[0], lifetime: 0, family: .ipv4).lifetime == 0)
        try relay.allocate(clients[2])
        #expect(try relay.exchange(relay.allocateBytes(clients[3]), clients[3]).code == 486)
        for client in clients[0...2] { #expect(try relay.refresh(client, lifetime: 0).isSuccess) }
        #expect(relay.registry.leaseCount == 0 && relay.leases.isEmpty)
    }

    @Test(
        "Refresh: a lifetime of zero with a family ends that half alone, without one the whole",
        arguments: [
            IPAddress.Family.ipv4, .ipv6,
        ]
    )
    func halves(ended: IPAddress.Family) throws {
        var relay = try dualStack()
        let alice = try relay.client("198.51.100.7:40000")
        #expect(try relay.allocate(alice) { $0.appendAdditionalAddressFamily(.ipv6) }.isSuccess)
        #expect(try relay.permit(alice, "203.0.113.9", "2001:db8::9").isSuccess)
        #expect(try relay.bind(alice, 0x4000, Self.peer4).isSuccess)
        #expect(try relay.bind(alice, 0x4001, Self.peer6).isSuccess)
        let gone = try relay.relay(of: alice, ended)
        #expect(try relay.refresh(alice, lifetime: 700, family: ended).lifetime == 700, "both live on")
        _ = relay.takeEvents()

        #expect(try relay.refresh(alice, lifetime: 0, family: ended).lifetime == 0)
        #expect(relay.leases.count == 1 && relay.leases[gone] == nil)
        #expect(relay.takeEvents() == [.answered], "the allocation is still there")
        let (lost, kept) = ended == .ipv4 ? (Self.peer4, Self.peer6) : (Self.peer6, Self.peer4)
        let (lostChannel, keptChannel): (UInt16, UInt16) = ended == .ipv4 ? (0x4000, 0x4001) : (0x4001, 0x4000)
        #expect(try relay.send([1], from: alice, to: lost) == .drop(.familyMismatch))
        #expect(relay.send([1], from: alice, by: lostChannel) == .drop(.unknownChannel))
        #expect(try relay.send([1], from: alice, to: kept).delivery != nil)
        #expect(relay.send([1], from: alice, by: keptChannel).delivery != nil)
        #expect(try relay.bind(alice, lostChannel, lost).code == 443)
        #expect(try relay.refresh(alice, lifetime: 0, family: ended).code == 443)
        #expect(try relay.refresh(alice, family: ended).code == 443)
        relay.shard.checkInvariants("half an allocation")

        let rest: IPAddress.Family = ended == .ipv4 ? .ipv6 : .ipv4
        #expect(try relay.refresh(alice, lifetime: 0, family: rest).lifetime == 0)
        #expect(relay.leases.isEmpty && relay.shard.allocationCount == 0)
        #expect(try relay.refresh(alice).code == 437)
    }

    @Test("a Refresh without a family prolongs both halves, and both expire together")
    func lifetime() throws {
        var relay = try dualStack()
        let alice = try relay.client("198.51.100.7:40000")
        #expect(try relay.allocate(alice) { $0.appendAdditionalAddressFamily(.ipv6) }.isSuccess)
        relay.advance(bySeconds: 599)
        #expect(try relay.refresh(alice, lifetime: 600).lifetime == 600)
        relay.advance(bySeconds: 599)
        #expect(try relay.permit(alice, "203.0.113.9", "2001:db8::9").isSuccess)
        relay.advance(bySeconds: 1)
        relay.sweep()
        #expect(relay.leases.isEmpty && relay.registry.leaseCount == 0)
    }

    @Test(
        "Refresh with a family prolongs that half alone, and each half expires by its own time",
        arguments: [IPAddress.Family.ipv4, .ipv6]
    )
    func separateLifetimes(prolonged: IPAddress.Family) throws {
        var relay = try dualStack()
        let alice = try relay.client("198.51.100.7:40000")
        #expect(try relay.allocate(alice) { $0.appendAdditionalAddressFamily(.ipv6) }.isSuccess)
        relay.advance(bySeconds: 500)
        #expect(try relay.refresh(alice, lifetime: 3600, family: prolonged).lifetime == 3600)
        #expect(try relay.permit(alice, "203.0.113.9", "2001:db8::9").isSuccess)
        #expect(try relay.bind(alice, 0x4000, Self.peer4).isSuccess)
        #expect(try relay.bind(alice, 0x4001, Self.peer6).isSuccess)
        let (short, long) = prolonged == .ipv4 ? (Self.peer6, Self.peer4) : (Self.peer4, Self.peer6)
        let (shortChannel, longChannel): (UInt16, UInt16) = prolonged == .ipv4 ? (0x4001, 0x4000) : (0x4000, 0x4001)
        relay.advance(bySeconds: 99)
        #expect(try relay.send([1], from: alice, to: short).delivery != nil)
        #expect(try relay.peerSends(from: short, to: alice).delivery != nil)
        let gone = try relay.relay(of: alice, prolonged == .ipv4 ? .ipv6 : .ipv4)
        relay.advance(bySeconds: 1)
        #expect(try relay.send([1], from: alice, to: short) == .drop(.noPermission), "also before a sweep")
        #expect(try relay.peerSends(from: short, to: alice) == .drop(.noPermission))
        #expect(relay.send([1], from: alice, by: shortChannel) == .drop(.unknownChannel))
        #expect(try relay.peerSends(from: long, to: alice).delivery != nil)
        _ = relay.takeEvents()
        relay.sweep()
        #expect(relay.leases.count == 1 && relay.leases[gone] == nil && relay.registry.leaseCount == 1)
        #expect(relay.takeEvents().isEmpty, "the allocation is still there")
        #expect(try relay.bind(alice, shortChannel, short).code == 443)
        #expect(relay.send([1], from: alice, by: longChannel).delivery != nil)
        relay.shard.checkInvariants("half an allocation")
        relay.advance(bySeconds: 3500)
        relay.sweep()
        #expect(relay.leases.isEmpty && relay.shard.flows.count == 0 && relay.registry.leaseCount == 0)
    }

    @Test(
        "when the half that would live longer is ended, the allocation ends with the other",
        arguments: [IPAddress.Family.ipv4, .ipv6]
    )
    func longerHalfEnded(ended: IPAddress.Family) throws {
        var relay = try dualStack()
        let alice = try relay.client("198.51.100.7:40000")
        #expect(try relay.allocate(alice) { $0.appendAdditionalAddressFamily(.ipv6) }.isSuccess)
        #expect(try relay.refresh(alice, lifetime: 3600, family: ended).lifetime == 3600)
        #expect(try relay.refresh(alice, lifetime: 0, family: ended).lifetime == 0)
        relay.shard.checkInvariants("the half of 600 s is left")
        relay.advance(bySeconds: 600)
        #expect(try relay.refresh(alice).code == 437)
        #expect(relay.leases.isEmpty && relay.shard.allocationCount == 0)
        // The 5-tuple is free again.
        try relay.allocate(alice)
    }

    @Test("a half that was opened when the request ended is closed again")
    func endedWhileOpening() throws {
        var relay = try dualStack()
        let alice = try relay.client("198.51.100.7:40000")
        relay.holdsOpening = true
        let bytes = relay.requestBytes(.allocate, from: alice) { builder in
            builder.appendRequestedTransport(.udp)
            builder.appendAdditionalAddressFamily(.ipv6)
        }
        relay.deliver(bytes, from: alice.flow)
        let id = try #require(relay.openings.keys.first)
        let socket = SocketID(slot: 9, generation: 9)
        var effects = EffectQueue()
        let bound = try Endpoint(parsing: "192.0.2.1:50000")
        relay.shard.relayOpened(id, .opened(socket, bound), now: relay.now, into: &effects)
        guard case .openRelay(id, let request) = effects[0] else {
            Issue.record("the other half is not asked for")
            return
        }
        #expect(effects.count == 1 && request.wish == .any(Self.ipv6))
        effects.removeAll()
        relay.shard.sweep(now: relay.now.advanced(bySeconds: 601), limit: 10, into: &effects)
        #expect(effects.count == 1 && effects[0] == .closeRelay(socket))
        #expect(relay.shard.allocationCount == 0)
    }
}
