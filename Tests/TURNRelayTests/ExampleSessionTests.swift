import NetPrimitives
import STUNCore
import TestSupport
import Testing

@testable import TURNRelay

/// The session that RFC 8656 §20 tells as an example, message by message.
@Suite("RFC 8656's example")
struct ExampleSessionTests {
    private let peerA = "203.0.113.150:32102"
    private let peerB = "203.0.113.210:18200"

    @Test("Allocate, 401, Allocate, CreatePermission, Send and Data, ChannelBind, ChannelData, Refresh and its end")
    func wholeSession() throws {
        var relay = try TURNScenario()
        let client = try relay.client("192.0.2.150:7000")

        // The first Allocate request proves nothing and is told what to prove.
        let bare = stunMessage(MessageType(.allocate, .request)) { builder in
            builder.appendRequestedTransport(.udp)
            builder.appendLifetime(seconds: 3600)
        }
        let challenge = try relay.exchange(bare, client)
        #expect(challenge.code == 401 && challenge.realm == TURNScenario.realm && !challenge.isSealed)
        let nonce = try #require(challenge.nonce)

        // The second is granted less than it asks for, where the server's maximum is lower.
        let allocated = try relay.request(.allocate, from: client, nonce: nonce) { builder in
            builder.appendRequestedTransport(.udp)
            builder.appendLifetime(seconds: 7200)
        }
        #expect(allocated.isSuccess && allocated.isSealed && allocated.lifetime == 3600)
        #expect(allocated.mapped == client.flow.client)
        let relayed = try #require(allocated.relayed)

        // Peer A is permitted by address alone, and then reached from the relayed address.
        #expect(try relay.permit(client, "203.0.113.150").isSuccess)
        let a = try Endpoint(parsing: peerA)
        #expect(try relay.sends([1, 2, 3], from: client, to: peerA) == .datagram(from: relayed, to: a, [1, 2, 3]))
        #expect(try relay.receives([4, 5], from: peerA, at: client) == .dataIndication(peer: a, [4, 5]))

        // Peer B gets a channel, which is a permission too.
        #expect(try relay.bind(client, 0x4000, peerB).isSuccess)
        let b = try Endpoint(parsing: peerB)
        #expect(try relay.sends([6], from: client, by: 0x4000) == .datagram(from: relayed, to: b, [6]))
        #expect(try relay.receives([7, 8, 9], from: peerB, at: client) == .channelData(0x4000, [7, 8, 9]))

        // A Refresh request with a nonce of long ago is told a new one, and is granted the default with that.
        relay.advance(bySeconds: 3500)
        let stale = try relay.request(.refresh, from: client, nonce: nonce)
        #expect(stale.code == 438 && stale.realm == TURNScenario.realm)
        let refreshed = try relay.request(.refresh, from: client, nonce: stale.nonce) { builder in
            builder.appendLifetime(seconds: 600)
        }
        #expect(refreshed.isSuccess && refreshed.isSealed && refreshed.lifetime == 600)

        // And at the end everything is given back at once.
        #expect(try relay.refresh(client, lifetime: 0).lifetime == 0)
        #expect(try relay.sends([1], from: client, to: peerA) == .dropped(.noAllocation))
        #expect(try relay.sends([1], from: client, by: 0x4000) == .dropped(.unknownChannel))
        #expect(relay.leases.isEmpty && relay.registry.leaseCount == 0 && relay.shard.flows.count == 0)
    }

    @Test("two clients of one server talk through both relayed addresses")
    func clientToClient() throws {
        let own = try IPAddress(parsing: "192.0.2.1")
        var relay = try TURNScenario(allowing: ["192.0.2.1/32"])
        let alice = try relay.client("198.51.100.7:40000")
        let bob = try relay.client("198.51.100.8:40000", user: "bob")
        let aliceRelayed = try relay.allocate(alice)
        let bobRelayed = try relay.allocate(bob)
        #expect(aliceRelayed.address == own && bobRelayed.address == own && aliceRelayed != bobRelayed)
        #expect(try relay.bind(alice, 0x4000, bobRelayed.description).isSuccess)
        let sent = try relay.sends([1, 2], from: alice, by: 0x4000)
        #expect(sent == .datagram(from: aliceRelayed, to: bobRelayed, [1, 2]))
        #expect(try relay.receives([1, 2], from: aliceRelayed.description, at: bob) == .dropped(.noPermission))
        #expect(try relay.permit(bob, "192.0.2.1").isSuccess)
        let arrived = try relay.receives([1, 2], from: aliceRelayed.description, at: bob)
        #expect(arrived == .dataIndication(peer: aliceRelayed, [1, 2]))
    }
}
