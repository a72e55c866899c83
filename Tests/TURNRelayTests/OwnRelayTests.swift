import NetPrimitives
import STUNCore
import TestSupport
import Testing

@testable import TURNRelay

/// Two clients with a relay each, at one address that is denied but for being ours.
private struct Pair: ~Copyable {
    var relay: TURNScenario
    let alice: Client
    let alices: Endpoint
    let bob: Client
    let bobs: Endpoint

    init(_ own: RelayAddress, allowing allowed: [String] = [], services: [String] = []) throws {
        var relay = try TURNScenario { configuration in
            configuration.relays = RelayAddresses(ipv4: own)
            configuration.peers = PeerPolicy(
                allowed: try allowed.map { try IPPrefix(parsing: $0) },
                ownServices: try services.map { try Endpoint(parsing: $0) },
                ownRelays: [own]
            )
        }
        let alice = try relay.client("198.51.100.7:40000")
        let bob = try relay.client("198.51.100.8:40000", user: "bob")
        let alices = try relay.allocate(alice)
        let bobs = try relay.allocate(bob)
        (self.alice, self.alices, self.bob, self.bobs) = (alice, alices, bob, bobs)
        self.relay = relay
    }
}

@Suite("Own relays")
struct OwnRelayTests {
    private func plain() throws -> RelayAddress { RelayAddress(bound: try IPAddress(parsing: "192.0.2.1")) }

    private func translated() throws -> RelayAddress {
        RelayAddress(bound: try IPAddress(parsing: "10.0.0.5"), external: try IPAddress(parsing: "203.0.113.7"))
    }

    @Test("another client's relay is reached, and no other port of its address, by any way in")
    func livePortsOnly() throws {
        var pair = try Pair(plain())
        let free = Endpoint(address: pair.bobs.address, port: pair.bobs.port ^ 1)
        #expect(try pair.relay.permit(pair.alice, "\(pair.bobs.address)").isSuccess)
        #expect(try pair.relay.send([1], from: pair.alice, to: "\(pair.bobs)").delivery?.destination == pair.bobs)
        #expect(try pair.relay.peerSends(from: "\(pair.bobs)", to: pair.alice).delivery != nil)
        for closed in ["\(free)", "192.0.2.1:3478", "192.0.2.1:22"] {
            #expect(try pair.relay.send([1], from: pair.alice, to: closed) == .drop(.closedPort))
            #expect(try pair.relay.peerSends(from: closed, to: pair.alice) == .drop(.closedPort))
            #expect(try pair.relay.bind(pair.alice, 0x4000, closed).code == 403)
        }
        #expect(try pair.relay.bind(pair.alice, 0x4000, "\(pair.bobs)").isSuccess)
        #expect(pair.relay.send([1], from: pair.alice, by: 0x4000).delivery?.destination == pair.bobs)
        let down = try pair.relay.peerSends(from: "\(pair.bobs)", to: pair.alice)
        #expect(down.delivery?.framing == .channelData(0x4000))
    }

    @Test("behind a NAT, an ICMP error about another client's relay names it as the client knows it")
    func icmp() throws {
        var pair = try Pair(translated())
        let bound = try translated().bound
        #expect(try pair.relay.permit(pair.alice, "\(pair.bobs.address)").isSuccess)
        let error = ICMPError(
            source: Endpoint(address: bound, port: pair.alices.port),
            peer: Endpoint(address: bound, port: pair.bobs.port),
            type: 3,
            code: 4,
            errorData: 1280
        )
        pair.relay.icmp(error, to: pair.alice)
        let bytes = try #require(pair.relay.takeSent().last).bytes
        let peer = try MessageView(parsing: bytes.span.rawBytes).xorAddress(.xorPeerAddress)
        #expect(peer == pair.bobs)
    }

    @Test("when the relay at the other end goes, its port is closed at once, channels included")
    func portGoesWithRelay() throws {
        var pair = try Pair(plain())
        _ = try pair.relay.permit(pair.alice, "\(pair.bobs.address)")
        _ = try pair.relay.bind(pair.alice, 0x4000, "\(pair.bobs)")
        #expect(try pair.relay.refresh(pair.bob, lifetime: 0).isSuccess)
        #expect(pair.relay.send([1], from: pair.alice, by: 0x4000) == .drop(.closedPort))
        #expect(try pair.relay.send([1], from: pair.alice, to: "\(pair.bobs)") == .drop(.closedPort))
        #expect(try pair.relay.peerSends(from: "\(pair.bobs)", to: pair.alice) == .drop(.closedPort))
    }

    @Test("behind a NAT, both ends know each other by the external address and datagrams take the short way")
    func translation() throws {
        var pair = try Pair(translated())
        #expect(pair.alices.address == pair.bobs.address && "\(pair.bobs.address)" == "203.0.113.7")
        let bound = Endpoint(address: try translated().bound, port: pair.bobs.port)
        #expect(try pair.relay.permit(pair.alice, "\(pair.bobs.address)").isSuccess)
        #expect(try pair.relay.permit(pair.bob, "\(pair.alices.address)").isSuccess)
        let up = try pair.relay.send([1, 2], from: pair.alice, to: "\(pair.bobs)")
        #expect(up.delivery == Delivery(framing: .raw, destination: bound))
        // What arrives at Bob's relay comes from Alice's bound address.
        let source = Endpoint(address: bound.address, port: pair.alices.port)
        let down = try pair.relay.peerSends(from: "\(source)", to: pair.bob)
        #expect(
            down.delivery == Delivery(framing: .dataIndication(peer: pair.alices), destination: pair.bob.flow.client)
        )
        #expect(try pair.relay.bind(pair.bob, 0x4001, "\(pair.alices)").isSuccess)
        #expect(try pair.relay.peerSends(from: "\(source)", to: pair.bob).delivery?.framing == .channelData(0x4001))
        #expect(pair.relay.send([3], from: pair.bob, by: 0x4001).delivery?.destination == source)
    }

    @Test("behind a NAT, the bound address is as private as its neighbours, and its other ports are nobody's")
    func boundAddressIsPrivate() throws {
        var pair = try Pair(translated())
        #expect(try pair.relay.permit(pair.alice, "10.0.0.5").code == 403)
        #expect(try pair.relay.bind(pair.alice, 0x4000, "10.0.0.5:\(pair.bobs.port)").code == 403)
        _ = try pair.relay.permit(pair.alice, "203.0.113.7")
        #expect(try pair.relay.peerSends(from: "10.0.0.5:22", to: pair.alice) == .drop(.noPermission))
        #expect(try pair.relay.send([1], from: pair.alice, to: "203.0.113.7:22") == .drop(.closedPort))
    }

    @Test("allowed by name as well, the external address is translated where a relay lives and plain elsewhere")
    func allowedByName() throws {
        var pair = try Pair(
            translated(),
            allowing: ["203.0.113.0/24"],
            services: ["203.0.113.7:3478"]
        )
        _ = try pair.relay.permit(pair.alice, "203.0.113.7")
        let up = try pair.relay.send([1], from: pair.alice, to: "\(pair.bobs)")
        #expect(try up.delivery?.destination.address == translated().bound)
        let other = try pair.relay.send([1], from: pair.alice, to: "203.0.113.7:22")
        #expect(try other.delivery?.destination == Endpoint(parsing: "203.0.113.7:22"))
        #expect(try pair.relay.send([1], from: pair.alice, to: "203.0.113.7:3478") == .drop(.closedPort))
    }

    @Test("our own services stay closed on an address that is allowed by name", arguments: ["127.0.0.1", "127.9.9.9"])
    func services(address: String) throws {
        var pair = try Pair(plain(), allowing: ["127.0.0.0/8"], services: ["127.0.0.1:3478"])
        #expect(try pair.relay.permit(pair.alice, address).isSuccess)
        #expect(try pair.relay.send([1], from: pair.alice, to: "\(address):5000").delivery != nil)
        #expect(try pair.relay.send([1], from: pair.alice, to: "\(address):3478") == .drop(.closedPort))
        #expect(try pair.relay.peerSends(from: "\(address):3478", to: pair.alice) == .drop(.closedPort))
        #expect(try pair.relay.bind(pair.alice, 0x4000, "\(address):3478").code == 403)
        #expect(try pair.relay.bind(pair.alice, 0x4000, "\(address):3479").isSuccess)
    }

    @Test("a service behind a translator that is allowed by name stays closed in that form too")
    func translatedService() throws {
        var scenario = try TURNScenario { configuration in
            configuration.relays.ipv6 = RelayAddress(bound: try IPAddress(parsing: "2001:db8::1"))
            configuration.peers = PeerPolicy(
                allowed: try ["64:ff9b::/96", "10.0.0.0/8"].map { try IPPrefix(parsing: $0) },
                ownServices: [try Endpoint(parsing: "10.0.0.9:5432")]
            )
        }
        let alice = try scenario.client("198.51.100.7:40000")
        _ = try scenario.request(.allocate, from: alice) { builder in
            builder.appendRequestedTransport(.udp)
            builder.appendRequestedAddressFamily(.ipv6)
        }
        #expect(try scenario.permit(alice, "64:ff9b::10.0.0.9").isSuccess)
        #expect(try scenario.send([1], from: alice, to: "[64:ff9b::10.0.0.9]:5432") == .drop(.closedPort))
        #expect(try scenario.send([1], from: alice, to: "[64:ff9b::10.0.0.9]:5433").delivery != nil)
    }
}

@Suite("LiveRelayPorts")
struct LiveRelayPortsTests {
    @Test("every port of every address has a bit of its own")
    func bits() throws {
        try checkProperty("live ports against a set") { generator in
            let addresses = [UInt32(1), 2, 3].map {
                RelayAddress(bound: IPAddress(ipv4: $0), external: IPAddress(ipv4: $0 + 100))
            }
            let live = LiveRelayPorts(addresses)
            var expected: Set<Endpoint> = []
            func random(_ generator: inout SeededGenerator) -> Endpoint {
                let port: UInt16 = [0, 1, 63, 64, 65, 65_472, 65_535].randomElement(using: &generator) ?? 0
                return Endpoint(address: IPAddress(ipv4: .random(in: 1...4, using: &generator)), port: port)
            }
            for _ in 0..<50 {
                let endpoint = random(&generator)
                if Bool.random(using: &generator) {
                    live.open(endpoint)
                    if endpoint.address.ipv4Bits < 4 { expected.insert(endpoint) }
                } else {
                    live.close(endpoint)
                    expected.remove(endpoint)
                }
                let other = random(&generator)
                let outside = Endpoint(address: IPAddress(ipv4: other.address.ipv4Bits + 100), port: other.port)
                let isLive = expected.contains(other)
                try claim(live.isLive(other) == isLive, "\(other)")
                try claim(live.reader.bound(outside) == (isLive ? other : nil), "\(outside)")
                try claim(live.reader.seen(other) == (isLive ? outside : other), "\(other) seen")
            }
        }
    }
}
