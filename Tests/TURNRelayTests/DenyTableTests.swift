import NetPrimitives
import STUNCore
import TestSupport
import Testing

@testable import TURNRelay

@Suite("The deny table")
struct DenyTableTests {
    private static func isDenied(_ address: IPAddress) -> Bool {
        DeniedRange.all.contains { $0.contains(address) }
    }

    /// A server that relays in both families, with a client of each.
    private struct Fixture: ~Copyable {
        var relay: TURNScenario
        let clients: [IPAddress.Family: Client]

        init(_ policy: PeerPolicy = PeerPolicy()) throws {
            var relay = try TURNScenario { configuration in
                configuration.relays.ipv6 = RelayAddress(bound: try IPAddress(parsing: "2001:db8::1"))
                configuration.peers = policy
            }
            let (four, six) = (try relay.client("8.8.8.8:40000"), try relay.client("8.8.8.8:40001"))
            try relay.allocate(four)
            let reply = try relay.request(.allocate, from: six) { builder in
                builder.appendRequestedTransport(.udp)
                builder.appendRequestedAddressFamily(.ipv6)
            }
            #expect(reply.isSuccess)
            clients = [.ipv4: four, .ipv6: six]
            self.relay = relay
        }

        /// Tries every way in to an address of each family that the policy allows, and expects each to be open: what
        /// `expectClosed` finds shut, the policy shuts, and the permissions made here open nothing else.
        mutating func expectOthersOpen() throws {
            for text in ["8.8.4.4", "2a00:1450::1"] {
                let address = try IPAddress(parsing: text)
                let client = try #require(clients[address.family])
                let peer = Endpoint(address: address, port: 443)
                #expect(try relay.permit(client, text).isSuccess)
                #expect(try relay.send([1], from: client, to: "\(peer)").delivery?.destination == peer)
                #expect(try relay.bind(client, 0x4001, "\(peer)").isSuccess)
                #expect(relay.send([1], from: client, by: 0x4001).delivery?.destination == peer)
                #expect(try relay.peerSends(from: "\(peer)", to: client).delivery?.framing == .channelData(0x4001))
            }
        }

        /// Tries every way in, and expects each to be closed.
        mutating func expectClosed(_ address: IPAddress, _ context: String) throws {
            let client = try #require(clients[address.family])
            let peer = Endpoint(address: address, port: 443)
            #expect(try relay.permit(client, "\(address)").code == 403, "CreatePermission, \(context)")
            #expect(try relay.bind(client, 0x4000, "\(peer)").code == 403, "ChannelBind, \(context)")
            #expect(try relay.send([1], from: client, to: "\(peer)") == .drop(.noPermission), "Send, \(context)")
            #expect(relay.send([1], from: client, by: 0x4000) == .drop(.unknownChannel), "ChannelData, \(context)")
            #expect(try relay.peerSends(from: "\(peer)", to: client) == .drop(.noPermission), "peer, \(context)")
        }
    }

    @Test("every range, from its first to its last address, is closed at every way in", arguments: DeniedRange.all)
    func closed(range: DeniedRange) throws {
        var fixture = try Fixture()
        try fixture.expectOthersOpen()
        for address in range.members { try fixture.expectClosed(address, "\(address) of \(range)") }
    }

    @Test(
        "every IPv4 range is closed at every way in however it is written",
        arguments: DeniedRange.ipv4,
        IPv4Encoding.allCases
    )
    func encoded(range: DeniedRange, encoding: IPv4Encoding) throws {
        var fixture = try Fixture()
        try fixture.expectOthersOpen()
        for address in range.members {
            try fixture.expectClosed(encoding(address), "\(encoding) of \(address) in \(range)")
        }
    }

    @Test("the addresses beside a range are open unless another range has them", arguments: DeniedRange.all)
    func neighbours(range: DeniedRange) throws {
        for address in range.neighbours {
            // 64:ff9a:ffff… and the like are nobody's encoding; what embeds an IPv4 address is judged by it as well.
            let forms = address.reachableForms
            let isDenied = (0..<forms.count).contains { Self.isDenied(forms[$0]) } || address.isIPv4Mapped
            #expect((PeerPolicy().answer(address) == .denied) == isDenied, "\(address)")
        }
    }

    @Test(
        "an IPv6 form that is allowed by name does not open the IPv4 address in it",
        arguments: DeniedRange.ipv4,
        IPv4Encoding.allCases
    )
    func allowedForm(range: DeniedRange, encoding: IPv4Encoding) throws {
        // The readings of a local NAT64 address that lie in 0.0.0.0/8 are artefacts of a shorter prefix.
        let isLocal = encoding == .localNAT64 || encoding == .localNAT64Shortest
        guard !isLocal || range.first.ipv4Bits != 0 else { return }
        let policy = try PeerPolicy(allowed: [IPPrefix(parsing: "::/0")])
        for address in range.members {
            let encoded = encoding(address)
            // :: and ::1 are addresses of their own, and ::1 may be allowed by name.
            guard encoded.bits != 1 else { continue }
            #expect(policy.answer(encoded) == .denied, "\(encoded) for \(address)")
        }
    }

    @Test("what no setting opens stays closed, and everything else opens", arguments: DeniedRange.all)
    func final(range: DeniedRange) throws {
        let open = try PeerPolicy(allowed: ["0.0.0.0/0", "::/0"].map { try IPPrefix(parsing: $0) }, denied: [])
        for address in range.members {
            let isFinal = DeniedRange.all.contains { $0.isFinal && $0.contains(address) }
            let forms = address.reachableForms
            let hidesFinal = (1..<max(1, forms.count)).contains { index in
                DeniedRange.all.contains { $0.isFinal && $0.contains(forms[index]) }
            }
            #expect((open.answer(address) == .denied) == (isFinal || hidesFinal), "\(address)")
            guard isFinal, address.family == .ipv4 else { continue }
            for encoding in IPv4Encoding.allCases where encoding != .localNAT64 && encoding != .localNAT64Shortest {
                guard encoding(address).bits != 1 else { continue }
                #expect(open.answer(encoding(address)) == .denied, "\(encoding) of \(address)")
            }
        }
    }

    @Test("public addresses are open in the forms that translators serve, and never by tunnel")
    func publicForms() throws {
        let address = try IPAddress(parsing: "8.8.8.8")
        let policy = try PeerPolicy(allowed: ["64:ff9b::/96", "64:ff9b:1::/48"].map { try IPPrefix(parsing: $0) })
        // The IPv4 form has to be allowed by name too, or the translator's prefix is open for it alone.
        #expect(policy.answer(address) == .allowed)
        for encoding in [IPv4Encoding.nat64, .localNAT64, .localNAT64Shortest, .isatap] {
            #expect(policy.answer(encoding(address)) == .allowed, "\(encoding)")
        }
        for encoding in [IPv4Encoding.sixToFour, .teredoClient, .teredoServer, .mapped] {
            #expect(policy.answer(encoding(address)) == .denied, "\(encoding)")
        }
    }

    @Test("each peer of a request is judged by itself: an allowed one admits no denied one, in any order")
    func perAddress() throws {
        let policy = try PeerPolicy(allowed: [IPPrefix(parsing: "10.1.0.0/16")])
        for peers in [["10.1.0.1", "10.2.0.1"], ["10.2.0.1", "10.1.0.1"], ["8.8.4.4", "10.1.0.1", "127.0.0.1"]] {
            var fixture = try Fixture(policy)
            let client = try #require(fixture.clients[.ipv4])
            let endpoints = try peers.map { Endpoint(address: try IPAddress(parsing: $0), port: 0) }
            let reply = try fixture.relay.request(.createPermission, from: client) { builder in
                for endpoint in endpoints { builder.appendXORAddress(.xorPeerAddress, endpoint) }
            }
            #expect(reply.code == 403)
            for peer in peers {
                #expect(try fixture.relay.send([1], from: client, to: "\(peer):9") == .drop(.noPermission))
            }
        }
    }

    @Test("a prefix matches just the addresses between its ends as 128-bit integers")
    func prefixIsRange() throws {
        try checkProperty("prefix against range") { generator in
            let length = UInt8.random(in: 0...128, using: &generator)
            let hostBits = length == 0 ? UInt128.max : (UInt128(1) << (128 - UInt128(length))) - 1
            let base = UInt128.random(in: .min ... .max, using: &generator) & ~hostBits
            let prefix = try IPPrefix(address: Self.ipv6(base), length: length)
            let (first, last) = (base, base | hostBits)
            var probes = [first, last, first &- 1, last &+ 1, first &+ hostBits / 2]
            // Bytes that are lower in one place and higher in another are what a comparison per byte gets wrong.
            for _ in 0..<8 { probes.append(first ^ UInt128(1) << UInt128.random(in: 0..<128, using: &generator)) }
            for probe in probes {
                let isBetween = first <= probe && probe <= last
                try claim(prefix.contains(Self.ipv6(probe)) == isBetween, "\(prefix) and \(Self.ipv6(probe))")
            }
        }
    }

    private static func ipv6(_ bits: UInt128) -> IPAddress {
        IPAddress(ipv6High: UInt64(bits >> 64), low: UInt64(truncatingIfNeeded: bits))
    }
}
