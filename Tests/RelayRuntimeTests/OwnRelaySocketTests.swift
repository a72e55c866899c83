import NetPrimitives
import PacketIO
import STUNCore
import TURNRelay
import Testing

@testable import RelayRuntime

@Suite("Own relays over real sockets")
struct OwnRelayTests {
    private static let outside: [IPAddress.Family: IPAddress] = [
        .ipv4: IPAddress(ipv4: 0xC633_6407), .ipv6: IPAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 7),
    ]

    private static let cases: [(IPAddress.Family, Bool)] = [
        (.ipv4, false), (.ipv6, false), (.ipv4, true), (.ipv6, true),
    ]

    @Test(
        "two clients talk through their relays, with a 1:1 NAT before them and without, in any shards",
        arguments: cases
    )
    func clientToClient(family: IPAddress.Family, translated: Bool) async throws {
        let own = family == .ipv4 ? loopback : loopback6
        try await withRelay(workers: 3, listen: [loopback, loopback6]) { configuration in
            // Nothing is allowed by name: the relays alone are each other's peers.
            configuration.allowedPeers = []
            if translated { configuration.externalAddresses = Array(Self.outside.values) }
        } _: { _, server in
            let (alice, bob) = (
                try TestClient(of: server), try TestClient(of: server, username: "bob", password: "builder")
            )
            let (alices, bobs) = (try alice.allocate(family), try bob.allocate(family))
            #expect(alices.address == (translated ? Self.outside[family] : own))
            try alice.permit(bobs)
            try bob.permit(alices)
            try alice.sendIndication([1, 2, 3], to: bobs)
            let first = try bob.receiveIndication()
            #expect(first.peer == alices && first.payload == [1, 2, 3])
            try bob.bind(0x4000, to: alices)
            try alice.bind(0x4001, to: bobs)
            try bob.sendChannelData(0x4000, [4, 5])
            let second = try alice.receiveChannelData()
            #expect(second.channel == 0x4001 && second.payload == [4, 5])
            try alice.sendChannelData(0x4001, [6])
            #expect(try bob.receiveChannelData().payload == [6])
        }
    }

    @Test("what else runs on the relays' address is out of reach, at a port of the relay range too")
    func strangerOnRelayPort() async throws {
        try await withRelay { configuration in
            configuration.allowedPeers = []
            configuration.relayPorts = 20_000...65_535
        } _: { _, server in
            let client = try TestClient(of: server)
            let stranger = try TestSocket()
            _ = try client.allocate()
            try client.permit(stranger.endpoint)
            try client.sendIndication([1], to: stranger.endpoint)
            #expect(try stranger.receive(within: 200) == nil)
        }
    }

    @Test("the listening port is no peer, allowed by name though its address is")
    func ownListener() async throws {
        try await withRelay { _, server in
            let client = try TestClient(of: server)
            let peer = try TestSocket()
            _ = try client.allocate()
            try client.permit(server)
            let bound = try client.request(.channelBind) { builder in
                builder.appendChannelNumber(0x4000)
                builder.appendXORAddress(.xorPeerAddress, server)
            }
            #expect(bound.error == 403)
            // A Binding request that the server would answer to its own relay, and that to the client.
            var builder = MessageBuilder(capacity: 64)
            builder.begin(MessageType(.binding, .request), TransactionID(high: 1, low: 2))
            let finished = builder.finish()
            let range = try #require(finished)
            let span = builder.bytes(in: range)
            let binding = (0..<span.byteCount).compactMap { span.byte($0) }
            try client.sendIndication(binding, to: server)
            // The next thing that comes is from the peer.
            try client.sendIndication([7], to: peer.endpoint)
            let relayed = try #require(try peer.receive())
            try peer.send([8], to: relayed.source)
            #expect(try client.receiveIndication().payload == [8])
        }
    }

    @Test("the operator is told of a listening port among the relay ports, and of what a list of prefixes opens")
    func warnings() throws {
        let four = IPAddress(ipv4: 0x0808_0808)
        var configuration = try RelayConfiguration.forTests()
        configuration.allowedPeers = []
        configuration.port = 3478
        configuration.relayPorts = 49_152...65_535
        let open = RelayPlan(listeners: [four], relay: [], external: []) { _ in nil }
        let local = RelayPlan(listeners: [loopback], relay: [], external: []) { _ in nil }
        #expect(configuration.warnings(open).isEmpty)
        configuration.port = 50_000
        #expect(configuration.warnings(open).first?.contains("TURN_PORT 50000") == true)
        configuration.port = 3478
        configuration.allowedPeers = try ["8.8.0.0/16", "10.0.0.0/8", "0.0.0.0/0"].map { try IPPrefix(parsing: $0) }
        let warnings = configuration.warnings(open)
        #expect(warnings.count == 2 && warnings.allSatisfy { $0.contains("TURN_ALLOWED_PEERS") })
        #expect(configuration.warnings(local).isEmpty, "nobody else can reach it")
        configuration.allowedPeers = []
        configuration.deniedPeers = PeerPolicy.defaultDenied + [try IPPrefix(parsing: "2a00:64::/96")]
        #expect(configuration.warnings(open).isEmpty, "more than the default")
        configuration.deniedPeers = try ["2a00:64::/96", "0.0.0.0/0"].map { try IPPrefix(parsing: $0) }
        let told = try #require(configuration.warnings(open).first)
        #expect(told.contains("TURN_DENIED_PEERS replaces") && told.contains("::1/128 first"))
        #expect(configuration.warnings(local).isEmpty)
    }
}

extension RawSpan {
    fileprivate func byte(_ offset: Int) -> UInt8? {
        guard offset < byteCount else { return nil }
        // SAFETY: the offset is that of a byte of the span.
        return unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }
}
