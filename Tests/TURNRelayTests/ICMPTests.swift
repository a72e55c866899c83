import NetPrimitives
import STUNCore
import TestSupport
import Testing

@testable import TURNRelay

@Suite("ICMP errors, passed on")
struct ICMPTests {
    private let bob = "203.0.113.9:5000"

    private func permitted(_ relay: inout TURNScenario) throws -> Client {
        let alice = try relay.client("198.51.100.7:40000")
        try relay.allocate(alice)
        #expect(try relay.permit(alice, "203.0.113.9").isSuccess)
        _ = relay.takeEvents()
        return alice
    }

    private func unreachable(_ peer: String) throws -> ICMPError {
        let source = try Endpoint(parsing: "192.0.2.1:50000")
        return ICMPError(source: source, peer: try Endpoint(parsing: peer), type: 3, code: 4, errorData: 1400)
    }

    @Test("the client hears by a Data indication with peer and ICMP, without DATA (RFC 8656 §11.5)")
    func indication() throws {
        var relay = try TURNScenario()
        let alice = try permitted(&relay)
        let error = try unreachable(bob)
        relay.icmp(error, to: alice)
        let sent = relay.takeSent()
        #expect(sent.count == 1 && sent.first?.destination == alice.flow.client)
        let bytes = try #require(sent.first).bytes
        let message = try MessageView(parsing: bytes.span.rawBytes)
        #expect(message.type == MessageType(.data, .indication))
        #expect(message.xorAddress(.xorPeerAddress) == error.peer)
        #expect(message.icmp == ICMPAttribute(type: 3, code: 4, errorData: 1400))
        let hasData = message.contains(.data)
        #expect(!hasData)
        #expect(relay.takeEvents() == [.icmpPassedOn])
    }

    @Test("a channel changes nothing: its peer too is told of by a Data indication (RFC 8656 §12.5)")
    func channel() throws {
        var relay = try TURNScenario()
        let alice = try permitted(&relay)
        #expect(try relay.bind(alice, 0x4000, bob).isSuccess)
        let error = try unreachable(bob)
        relay.icmp(error, to: alice)
        let bytes = try #require(relay.takeSent().first).bytes
        let message = try MessageView(parsing: bytes.span.rawBytes)
        #expect(message.type == MessageType(.data, .indication))
        #expect(message.xorAddress(.xorPeerAddress) == error.peer)
        #expect(message.icmp == ICMPAttribute(type: 3, code: 4, errorData: 1400))
        #expect(try relay.receives([1], from: bob, at: alice) == .channelData(0x4000, [1]), "the channel is there")
    }

    @Test("nothing is heard of a peer without permission, or behind its end")
    func permission() throws {
        var relay = try TURNScenario()
        let alice = try permitted(&relay)
        relay.icmp(try unreachable("203.0.113.10:5000"), to: alice)
        #expect(relay.takeEvents() == [.dropped(.unsolicitedICMP)])
        relay.advance(bySeconds: 299)
        relay.icmp(try unreachable(bob), to: alice)
        #expect(relay.takeSent().count == 1)
        relay.advance(bySeconds: 1)
        relay.icmp(try unreachable(bob), to: alice)
        relay.expectNothingSent()
    }

    @Test("nothing is heard of a relay socket that is gone")
    func closedRelay() throws {
        var relay = try TURNScenario()
        let alice = try permitted(&relay)
        let socket = try relay.relay(of: alice)
        #expect(try relay.refresh(alice, lifetime: 0).isSuccess)
        _ = relay.takeEvents()
        relay.icmp(try unreachable(bob), on: socket)
        #expect(relay.takeEvents() == [.dropped(.unsolicitedICMP)])
        relay.expectNothingSent()
    }

    @Test("ports that the policy closes are closed here too")
    func ports() throws {
        let own = RelayAddress(bound: try IPAddress(parsing: "192.0.2.1"))
        var relay = try TURNScenario { configuration in
            configuration.peers = PeerPolicy(ownRelays: [own])
        }
        let alice = try relay.client("198.51.100.7:40000")
        let open = try relay.allocate(alice)
        #expect(try relay.permit(alice, "192.0.2.1").isSuccess)
        relay.icmp(try unreachable("192.0.2.1:3478"), to: alice)
        relay.expectNothingSent()
        relay.icmp(try unreachable("\(open)"), to: alice)
        #expect(relay.takeSent().count == 1)
    }

    @Test("a flood of errors reaches a client as twenty a second, and other clients unchanged")
    func budget() throws {
        var relay = try TURNScenario()
        let alice = try permitted(&relay)
        let carol = try relay.client("198.51.100.8:40000", user: "bob")
        try relay.allocate(carol)
        #expect(try relay.permit(carol, "203.0.113.9").isSuccess)
        _ = relay.takeEvents()
        let error = try unreachable(bob)
        for _ in 0..<1000 { relay.icmp(error, to: alice) }
        #expect(relay.takeSent().count == 20)
        #expect(relay.takeEvents().count { $0 == .dropped(.icmpBudget) } == 980)
        relay.icmp(error, to: carol)
        #expect(relay.takeSent().count == 1)
        relay.advance(bySeconds: 1)
        for _ in 0..<1000 { relay.icmp(error, to: alice) }
        #expect(relay.takeSent().count == 20)
        #expect(try relay.refresh(alice).isSuccess, "a record that was changed in place is otherwise as it was")
    }

    @Test("with a limit of zero nobody is told of any")
    func off() throws {
        var relay = try TURNScenario { $0.limits.icmpPerSecond = 0 }
        let alice = try permitted(&relay)
        relay.icmp(try unreachable(bob), to: alice)
        relay.expectNothingSent()
    }
}

extension TURNScenario {
    /// What a shell does with an ICMP error about a datagram from a relay socket.
    mutating func icmp(_ error: ICMPError, on socket: SocketID) {
        shard.handleICMP(error, on: socket, now: now, random: &random, into: &effects)
        applyEffects()
    }

    mutating func icmp(_ error: ICMPError, to client: Client) {
        guard let socket = shard.allocation(of: client.flow)?.relay(error.source.address.family) else {
            Issue.record("no allocation")
            return
        }
        icmp(error, on: socket)
    }
}
