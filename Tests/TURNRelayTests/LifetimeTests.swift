import NetPrimitives
import STUNCore
import TestSupport
import Testing

@testable import TURNRelay

/// What RFC 8656 §6, §9 and §12 say about time: what prolongs what, and what does not.
@Suite("Lifetimes")
struct LifetimeTests {
    private let bob = "203.0.113.9:5000"

    private func allocated(_ relay: inout TURNScenario, lifetime: UInt32 = 3600) throws -> (Client, Endpoint) {
        let alice = try relay.client("198.51.100.7:40000")
        return (alice, try relay.allocate(alice, lifetime: lifetime))
    }

    @Test("nothing but a Refresh request prolongs an allocation")
    func allocation() throws {
        var relay = try TURNScenario()
        let (alice, relayed) = try allocated(&relay, lifetime: 600)
        let peer = try Endpoint(parsing: bob)
        for _ in 0..<5 {
            relay.advance(bySeconds: 119)
            #expect(try relay.permit(alice, "203.0.113.9").isSuccess)
            #expect(try relay.bind(alice, 0x4000, bob).isSuccess)
            #expect(try relay.sends([1], from: alice, to: bob) == .datagram(from: relayed, to: peer, [1]))
            #expect(try relay.receives([1], from: bob, at: alice) == .channelData(0x4000, [1]))
        }
        relay.advance(bySeconds: 5)
        #expect(try relay.refresh(alice).code == 437)
        #expect(try relay.sends([1], from: alice, to: bob) == .dropped(.noAllocation))
        #expect(try relay.sends([1], from: alice, by: 0x4000) == .dropped(.unknownChannel))
    }

    @Test(
        "Refresh sets the time from now on: zero, or between ten minutes and an hour",
        arguments: [
            (0, 0), (nil, 600), (1, 600), (600, 600), (601, 601), (3600, 3600), (3601, 3600), (UInt32.max, 3600),
        ] as [(UInt32?, UInt32)]
    )
    func refresh(asked: UInt32?, granted: UInt32) throws {
        var relay = try TURNScenario()
        let (alice, _) = try allocated(&relay, lifetime: 3600)
        relay.advance(bySeconds: 100)
        let reply = try relay.refresh(alice, lifetime: asked)
        #expect(reply.isSuccess && reply.lifetime == granted, "a shorter time counts too")
        if granted > 0 {
            relay.advance(bySeconds: granted - 1)
            #expect(try relay.permit(alice, "203.0.113.9").isSuccess)
            relay.advance(bySeconds: 1)
        }
        #expect(try relay.permit(alice, "203.0.113.9").code == 437)
    }

    @Test("a permission lasts 300 s from CreatePermission or ChannelBind, whichever was last")
    func permission() throws {
        var relay = try TURNScenario()
        let (alice, _) = try allocated(&relay)
        let peer = try Endpoint(parsing: "203.0.113.9:6000")
        let arrives = Arrival.dataIndication(peer: peer, [1])
        #expect(try relay.permit(alice, "203.0.113.9").isSuccess)
        relay.advance(bySeconds: 200)
        #expect(try relay.bind(alice, 0x4000, bob).isSuccess)
        relay.advance(bySeconds: 299)
        #expect(try relay.receives([1], from: "203.0.113.9:6000", at: alice) == arrives)
        relay.advance(bySeconds: 1)
        #expect(try relay.receives([1], from: "203.0.113.9:6000", at: alice) == .dropped(.noPermission))
        #expect(try relay.permit(alice, "203.0.113.9").isSuccess)
        #expect(try relay.receives([1], from: "203.0.113.9:6000", at: alice) == arrives)
    }

    @Test("data in either direction renews neither permission nor channel")
    func dataRenewsNothing() throws {
        var relay = try TURNScenario()
        let (alice, relayed) = try allocated(&relay)
        let peer = try Endpoint(parsing: bob)
        #expect(try relay.bind(alice, 0x4000, bob).isSuccess)
        for _ in 0..<29 {
            relay.advance(bySeconds: 10)
            #expect(try relay.sends([1], from: alice, to: bob) == .datagram(from: relayed, to: peer, [1]))
            #expect(try relay.sends([1], from: alice, by: 0x4000) == .datagram(from: relayed, to: peer, [1]))
            #expect(try relay.receives([1], from: bob, at: alice) == .channelData(0x4000, [1]))
        }
        relay.advance(bySeconds: 10)
        #expect(try relay.sends([1], from: alice, to: bob) == .dropped(.noPermission))
        #expect(try relay.receives([1], from: bob, at: alice) == .dropped(.noPermission))
        for _ in 0..<29 {
            relay.advance(bySeconds: 10)
            #expect(try relay.sends([1], from: alice, by: 0x4000) == .datagram(from: relayed, to: peer, [1]))
        }
        relay.advance(bySeconds: 10)
        #expect(try relay.sends([1], from: alice, by: 0x4000) == .dropped(.unknownChannel))
    }

    @Test("CreatePermission renews no channel, and a channel bound again lasts ten minutes from then")
    func channel() throws {
        var relay = try TURNScenario()
        let (alice, relayed) = try allocated(&relay)
        let peer = try Endpoint(parsing: bob)
        #expect(try relay.bind(alice, 0x4FFF, bob).isSuccess)
        relay.advance(bySeconds: 400)
        #expect(try relay.bind(alice, 0x4FFF, bob).isSuccess)
        relay.advance(bySeconds: 599)
        #expect(try relay.permit(alice, "203.0.113.9").isSuccess)
        #expect(try relay.sends([1], from: alice, by: 0x4FFF) == .datagram(from: relayed, to: peer, [1]))
        relay.advance(bySeconds: 1)
        #expect(try relay.sends([1], from: alice, by: 0x4FFF) == .dropped(.unknownChannel))
        #expect(try relay.receives([1], from: bob, at: alice) == .dataIndication(peer: peer, [1]))
    }

    @Test("a bound number or peer is free for another binding when its time is over, and no second sooner")
    func rebinding() throws {
        var relay = try TURNScenario()
        let (alice, _) = try allocated(&relay)
        #expect(try relay.bind(alice, 0x4000, bob).isSuccess)
        relay.advance(bySeconds: 599)
        #expect(try relay.bind(alice, 0x4000, "203.0.113.9:5001").code == 400)
        #expect(try relay.bind(alice, 0x4001, bob).code == 400)
        relay.advance(bySeconds: 1)
        #expect(try relay.bind(alice, 0x4000, "203.0.113.9:5001").isSuccess)
        #expect(try relay.bind(alice, 0x4001, bob).isSuccess)
    }

    @Test("permissions and channels of one allocation are nothing to another, and end with their own")
    func separateAllocations() throws {
        var relay = try TURNScenario()
        let (alice, _) = try allocated(&relay, lifetime: 600)
        let carol = try relay.client("198.51.100.8:40000", user: "bob")
        try relay.allocate(carol, lifetime: 3600)
        #expect(try relay.permit(alice, "203.0.113.9").isSuccess)
        #expect(try relay.bind(alice, 0x4000, bob).isSuccess)
        #expect(try relay.receives([1], from: bob, at: carol) == .dropped(.noPermission))
        #expect(try relay.sends([1], from: carol, by: 0x4000) == .dropped(.unknownChannel))
        #expect(try relay.permit(carol, "203.0.113.9").isSuccess)
        let other = "203.0.113.9:5001"
        #expect(try relay.bind(carol, 0x4000, other).isSuccess, "the same number is another channel")
        #expect(try relay.refresh(alice, lifetime: 0).isSuccess)
        let peer = try Endpoint(parsing: bob)
        #expect(try relay.receives([1], from: bob, at: carol) == .dataIndication(peer: peer, [1]))
        #expect(try relay.receives([1], from: other, at: carol) == .channelData(0x4000, [1]))
        try relay.allocate(alice)
        // A new one begins without any.
        #expect(try relay.receives([1], from: bob, at: alice) == .dropped(.noPermission))
        #expect(try relay.sends([1], from: alice, by: 0x4000) == .dropped(.unknownChannel))
        #expect(try relay.permit(alice, "203.0.113.9").isSuccess)
        #expect(try relay.receives([1], from: bob, at: alice) == .dataIndication(peer: peer, [1]))
        #expect(try relay.sends([1], from: alice, by: 0x4000) == .dropped(.unknownChannel))
    }

    @Test("a permission compares addresses and no ports; the port in CreatePermission means nothing")
    func portsDoNotCount() throws {
        var relay = try TURNScenario()
        let (alice, relayed) = try allocated(&relay)
        let reply = try relay.request(.createPermission, from: alice) { builder in
            builder.appendXORAddress(.xorPeerAddress, Endpoint(address: IPAddress(ipv4: 0xCB00_7109), port: 65_535))
        }
        #expect(reply.isSuccess)
        for port in [1, 80, 5000, 65_535] {
            let peer = try Endpoint(parsing: "203.0.113.9:\(port)")
            #expect(try relay.receives([1], from: peer.description, at: alice) == .dataIndication(peer: peer, [1]))
            let sent = try relay.sends([1], from: alice, to: peer.description)
            #expect(sent == .datagram(from: relayed, to: peer, [1]))
        }
    }
}
