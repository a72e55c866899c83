import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@testable import TURNRelay

@Suite("Relaying")
struct RelayingTests {
    private let bob = "203.0.113.9:5000"

    private func allocated(_ relay: inout TURNScenario) throws -> Client {
        let alice = try relay.client("198.51.100.7:40000")
        try relay.allocate(alice)
        return alice
    }

    @Test("a permission opens both ways, for every port of the address and for no other address")
    func permission() throws {
        var relay = try TURNScenario()
        let alice = try allocated(&relay)
        #expect(try relay.send([1, 2, 3], from: alice, to: bob) == .drop(.noPermission))
        #expect(try relay.peerSends(from: bob, to: alice) == .drop(.noPermission))
        #expect(try relay.permit(alice, "203.0.113.9").isSuccess)

        guard case .forward(let up) = try relay.send([1, 2, 3], from: alice, to: bob) else {
            Issue.record("a Send indication was not relayed")
            return
        }
        #expect(up.framing == .raw && up.payloadCount == 3 && up.payloadOffset == 36)
        #expect(try up.destination == Endpoint(parsing: bob) && up.socket == relay.relay(of: alice))
        let down = try relay.peerSends(from: "203.0.113.9:6000", to: alice)
        let peer = try Endpoint(parsing: "203.0.113.9:6000")
        #expect(down.delivery == Delivery(framing: .dataIndication(peer: peer), destination: alice.flow.client))
        #expect(try relay.peerSends(from: "203.0.113.10:6000", to: alice) == .drop(.noPermission))
        #expect(try relay.send([1], from: alice, to: "203.0.113.10:5000") == .drop(.noPermission))
    }

    @Test("several permissions in one request, or none of them")
    func allOrNothing() throws {
        var relay = try TURNScenario()
        let alice = try allocated(&relay)
        #expect(try relay.permit(alice, "203.0.113.1", "203.0.113.2").isSuccess)
        #expect(try relay.permit(alice, "203.0.113.3", "10.0.0.1").code == 403)
        #expect(try relay.permit(alice, "203.0.113.3", "2001:db8::1").code == 443)
        #expect(try relay.permit(alice).code == 400)
        let malformed = try relay.request(.createPermission, from: alice) { builder in
            builder.appendXORAddress(.xorPeerAddress, Endpoint(address: IPAddress(ipv4: 0xCB00_7103), port: 1))
            builder.append(.xorPeerAddress, text: "short")
        }
        #expect(malformed.code == 400)
        for denied in ["10.0.0.1:1", "[2001:db8::1]:1"] {
            let peer = try Endpoint(parsing: denied)
            let reply = try relay.request(.createPermission, from: alice) { builder in
                builder.appendXORAddress(.xorPeerAddress, peer)
                builder.append(.xorPeerAddress, text: "short")
            }
            #expect(reply.code == 400, "what is malformed is so whatever stands before it: \(denied)")
        }
        #expect(try relay.peerSends(from: "203.0.113.2:1", to: alice).delivery != nil)
        #expect(try relay.peerSends(from: "203.0.113.3:1", to: alice) == .drop(.noPermission))
    }

    @Test("a permission expires after five minutes, not sooner, and only requests renew it")
    func permissionExpiry() throws {
        var relay = try TURNScenario()
        let alice = try allocated(&relay)
        _ = try relay.permit(alice, "203.0.113.9")
        relay.advance(bySeconds: 299)
        #expect(try relay.peerSends(from: bob, to: alice).delivery != nil)
        #expect(try relay.send([1], from: alice, to: bob).delivery != nil)
        relay.advance(bySeconds: 1)
        #expect(try relay.peerSends(from: bob, to: alice) == .drop(.noPermission))
        #expect(try relay.send([1], from: alice, to: bob) == .drop(.noPermission))
        _ = try relay.permit(alice, "203.0.113.9")
        relay.advance(bySeconds: 200)
        _ = try relay.permit(alice, "203.0.113.9")
        relay.advance(bySeconds: 200)
        #expect(try relay.peerSends(from: bob, to: alice) == .drop(.noPermission), "the allocation ended at 600 s")
    }

    @Test("a channel shortens both ways and opens its peer")
    func channel() throws {
        var relay = try TURNScenario()
        let alice = try allocated(&relay)
        #expect(try relay.bind(alice, 0x4001, bob).isSuccess)
        guard case .forward(let up) = relay.send([9, 8, 7], from: alice, by: 0x4001) else {
            Issue.record("ChannelData was not relayed")
            return
        }
        #expect(try up.framing == .raw && up.destination == Endpoint(parsing: bob))
        #expect(up.payloadOffset == 4 && up.payloadCount == 3)
        let peer = try Endpoint(parsing: bob)
        let down = try relay.peerSends(from: bob, to: alice)
        #expect(down.delivery == Delivery(framing: .channelData(0x4001), destination: alice.flow.client))
        let otherPort = try relay.peerSends(from: "203.0.113.9:5001", to: alice)
        #expect(otherPort.delivery?.framing == .dataIndication(peer: Endpoint(address: peer.address, port: 5001)))
        #expect(relay.send([1], from: alice, by: 0x4002) == .drop(.unknownChannel))
        let mallory = try relay.client("198.51.100.8:40000")
        #expect(relay.send([1], from: mallory, by: 0x4001) == .drop(.unknownChannel))
        #expect(try relay.send([1], from: alice, to: bob).delivery != nil, "Send still works")
        #expect(relay.send([], from: alice, by: 0x4001).delivery != nil, "an empty datagram is one")
    }

    @Test("a channel stands for one peer and a peer for one channel")
    func channelRules() throws {
        var relay = try TURNScenario()
        let alice = try allocated(&relay)
        #expect(try relay.bind(alice, 0x4000, bob).isSuccess)
        #expect(try relay.bind(alice, 0x4000, bob).isSuccess, "binding it again renews it")
        #expect(try relay.bind(alice, 0x4000, "203.0.113.9:5001").code == 400)
        #expect(try relay.bind(alice, 0x4001, bob).code == 400)
        #expect(try relay.bind(alice, 0x4FFF, "203.0.113.9:5001").isSuccess)
        for number: UInt16 in [0, 0x3FFF, 0x5000, 0x7FFF, 0xFFFF] {
            #expect(try relay.bind(alice, number, "203.0.113.9:5002").code == 400, "\(number)")
        }
        #expect(try relay.bind(alice, 0x4002, "203.0.113.9:0").code == 400)
        let noNumber = try relay.request(.channelBind, from: alice) { builder in
            builder.appendXORAddress(.xorPeerAddress, Endpoint(address: IPAddress(ipv4: 0xCB00_7109), port: 9))
        }
        #expect(noNumber.code == 400)
        #expect(try relay.request(.channelBind, from: alice) { $0.appendChannelNumber(0x4003) }.code == 400)
    }

    @Test("a channel lasts ten minutes, its permission five; then number and peer are free again")
    func channelExpiry() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        try relay.allocate(alice, lifetime: 3600)
        _ = try relay.bind(alice, 0x4000, bob)
        relay.advance(bySeconds: 301)
        #expect(try relay.peerSends(from: bob, to: alice) == .drop(.noPermission))
        #expect(relay.send([1], from: alice, by: 0x4000).delivery != nil)
        _ = try relay.permit(alice, "203.0.113.9")
        #expect(try relay.peerSends(from: bob, to: alice).delivery?.framing == .channelData(0x4000))
        relay.advance(bySeconds: 299)
        #expect(relay.send([1], from: alice, by: 0x4000) == .drop(.unknownChannel))
        let peer = try Endpoint(parsing: bob)
        #expect(try relay.peerSends(from: bob, to: alice).delivery?.framing == .dataIndication(peer: peer))
        #expect(try relay.bind(alice, 0x4001, bob).isSuccess)
        #expect(try relay.bind(alice, 0x4000, "203.0.113.9:5001").isSuccess)
    }

    @Test("the limits on permissions and channels answer 508 and free with expiry")
    func limits() throws {
        var relay = try TURNScenario { configuration in
            configuration.limits.permissionsPerAllocation = 3
            configuration.limits.channelsPerAllocation = 2
        }
        let alice = try relay.client("198.51.100.7:40000")
        try relay.allocate(alice, lifetime: 3600)
        #expect(try relay.permit(alice, "203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4").code == 508)
        #expect(try relay.bind(alice, 0x4000, "203.0.113.1:1").isSuccess)
        #expect(try relay.bind(alice, 0x4001, "203.0.113.1:2").isSuccess)
        #expect(try relay.bind(alice, 0x4002, "203.0.113.1:3").code == 508)
        #expect(try relay.permit(alice, "203.0.113.2", "203.0.113.3").isSuccess)
        #expect(try relay.permit(alice, "203.0.113.4").code == 508)
        #expect(try relay.permit(alice, "203.0.113.3").isSuccess, "renewing takes no room")
        // One address again and again takes no room, so that what is read from one request is the only limit.
        let known = try Endpoint(parsing: "203.0.113.3:0")
        for (count, code) in [(16, nil), (17, 508)] as [(Int, UInt16?)] {
            let reply = try relay.request(.createPermission, from: alice) { builder in
                for _ in 0..<count { builder.appendXORAddress(.xorPeerAddress, known) }
            }
            #expect(reply.code == code, "\(count) peers in one request")
        }
        relay.advance(bySeconds: 600)
        #expect(try relay.bind(alice, 0x4002, "203.0.113.4:3").isSuccess)
    }

    @Test("Refresh prolongs everything's end but no permission; zero ends it at once")
    func refresh() throws {
        var relay = try TURNScenario()
        let alice = try allocated(&relay)
        relay.advance(bySeconds: 590)
        _ = try relay.permit(alice, "203.0.113.9")
        #expect(try relay.refresh(alice, lifetime: 900).lifetime == 900)
        relay.advance(bySeconds: 100)
        #expect(try relay.peerSends(from: bob, to: alice).delivery != nil)
        let socket = try relay.relay(of: alice)
        let reply = try relay.refresh(alice, lifetime: 0)
        #expect(reply.isSuccess && reply.lifetime == 0 && reply.isSealed)
        #expect(relay.leases.isEmpty && relay.shard.allocationCount == 0 && relay.shard.flows.count == 0)
        #expect(try relay.send([1], from: alice, to: bob) == .drop(.noAllocation))
        let peer = try Endpoint(parsing: bob)
        #expect(relay.shard.routePeer(byteCount: 1, from: peer, on: socket, now: relay.now) == .drop(.noPermission))
        try relay.allocate(alice)
    }

    @Test("a running allocation outlives its credential; a new one does not begin with it")
    func credentialExpiry() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000", name: "@alice:example.org", endingIn: 30)
        try relay.allocate(alice)
        relay.advance(bySeconds: 60)
        #expect(try relay.refresh(alice).isSuccess)
        #expect(try relay.permit(alice, "203.0.113.9").isSuccess)
        #expect(try relay.bind(alice, 0x4000, bob).isSuccess)
        #expect(try relay.refresh(alice, lifetime: 0).isSuccess)
        #expect(try relay.exchange(relay.allocateBytes(alice), alice).code == 401)
    }

    @Test("what has expired is swept with bounded work, and its socket and quota come back")
    func sweep() throws {
        var relay = try TURNScenario(quota: 10)
        for index in 0..<10 { try relay.allocate(try relay.client("198.51.100.7:\(30_000 + index)")) }
        relay.advance(bySeconds: 599)
        relay.sweep()
        #expect(relay.leases.count == 10)
        relay.advance(bySeconds: 1)
        _ = relay.takeEvents()
        relay.sweep(limit: 4)
        #expect(relay.leases.count == 6)
        relay.sweep(limit: 4)
        relay.sweep(limit: 4)
        #expect(relay.leases.isEmpty && relay.shard.allocationCount == 0 && relay.shard.flows.count == 0)
        let causes = relay.takeEvents().map { event in
            if case .allocationClosed(_, let cause, _) = event { cause == .expired } else { false }
        }
        #expect(causes == [Bool](repeating: true, count: 10))
        #expect(relay.registry.leaseCount == 0)
    }

    @Test("a sweep stops when the effects are full and goes on where it stopped")
    func sweepOfMany() throws {
        var relay = try TURNScenario()
        for index in 0..<100 { try relay.allocate(try relay.client("198.51.100.7:\(30_000 + index)")) }
        relay.advance(bySeconds: 600)
        relay.sweep()
        #expect(!relay.leases.isEmpty && relay.leases.count < 100)
        for _ in 0..<4 { relay.sweep() }
        #expect(relay.leases.isEmpty && relay.shard.allocationCount == 0)
    }

    @Test("an expired allocation that no sweep has met yet does not stand in the way of a new one")
    func expiredButUnswept() throws {
        var relay = try TURNScenario(quota: 1)
        let alice = try allocated(&relay)
        relay.advance(bySeconds: 600)
        #expect(try relay.send([1], from: alice, to: bob) == .drop(.noAllocation))
        try relay.allocate(alice)
        #expect(relay.leases.count == 1 && relay.shard.allocationCount == 1)
    }

    @Test("a Send indication needs peer and data, and everything in it understood")
    func sendIndications() throws {
        var relay = try TURNScenario()
        let alice = try allocated(&relay)
        _ = try relay.permit(alice, "203.0.113.9")
        let peer = try Endpoint(parsing: bob)
        let type = MessageType(.send, .indication)
        func verdict(_ relay: inout TURNScenario, _ body: (inout MessageBuilder) -> Void) -> Verdict {
            relay.deliver(stunMessage(type) { body(&$0) }, from: alice.flow)
        }
        #expect(try relay.send([], from: alice, to: bob).delivery != nil, "DATA may be empty")
        #expect(verdict(&relay) { $0.appendXORAddress(.xorPeerAddress, peer) } == .drop(.malformedIndication))
        #expect(verdict(&relay) { $0.append(.data, text: "x") } == .drop(.malformedIndication))
        #expect(
            verdict(&relay) { builder in
                builder.append(.data, text: "x")
                builder.append(AttributeType(rawValue: 0x7ABC), text: "required")
                builder.appendXORAddress(.xorPeerAddress, peer)
            } == .drop(.unknownAttribute)
        )
        #expect(
            verdict(&relay) { builder in
                builder.append(AttributeType(rawValue: 0xC001), text: "optional")
                builder.append(.data, text: "x")
                builder.appendXORAddress(.xorPeerAddress, peer)
            }.delivery != nil
        )
        #expect(try relay.send([1], from: alice, to: "203.0.113.9:0") == .drop(.malformedIndication))
        #expect(try relay.send([1], from: alice, to: "[2001:db8::1]:5") == .drop(.familyMismatch))
        for type: UInt16 in 0..<64 {
            let isKnown = TURNShard.knownAttributes.contains(AttributeType(rawValue: type))
            let isIntegrity = type == 0x08 || type == 0x1C
            #expect(isKnown == (SendIndication.isUnderstood(type) || isIntegrity), "\(type)")
        }
    }

    @Test("what would not fit into a datagram with its framing is dropped")
    func oversize() throws {
        var relay = try TURNScenario()
        let alice = try allocated(&relay)
        _ = try relay.permit(alice, "203.0.113.9")
        #expect(try relay.peerSends(byteCount: 65_468, from: bob, to: alice).delivery != nil)
        #expect(try relay.peerSends(byteCount: 65_472, from: bob, to: alice) == .drop(.oversize))
        _ = try relay.bind(alice, 0x4000, bob)
        #expect(try relay.peerSends(byteCount: 65_503, from: bob, to: alice).delivery != nil)
        #expect(try relay.peerSends(byteCount: 65_504, from: bob, to: alice) == .drop(.oversize))
    }
}
