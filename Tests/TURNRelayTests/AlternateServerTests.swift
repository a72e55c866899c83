import NetPrimitives
import STUNCore
import TestSupport
import Testing

@testable import TURNRelay

@Suite("Another server, by family (RFC 8489 §10)")
struct AlternateServerTests {
    /// The servers that a client is sent to; nil if its Allocate is answered otherwise than by 300.
    private func alternates(of client: Client, _ relay: inout TURNScenario) throws -> [Endpoint]? {
        relay.deliver(relay.allocateBytes(client), from: client.flow)
        let answer = try #require(relay.takeSent().first).bytes
        let reply = try Reply(answer, for: client)
        guard reply.code == 300 else { return nil }
        #expect(reply.isSealed)
        return try MessageView(parsing: answer.span.rawBytes).alternateServers
    }

    @Test("of two servers a client is sent to that of the family it came by, and to no other")
    func both() throws {
        var relay = try TURNScenario()
        var servers = AlternateServers()
        servers.ipv4 = try Endpoint(parsing: "203.0.113.77:3478")
        servers.ipv6 = try Endpoint(parsing: "[2001:db8::77]:3479")
        relay.shard.drain(to: servers)
        let (four, six) = (try relay.client("198.51.100.2:1"), try relay.client("[2001:db8::2]:1"))
        #expect(try alternates(of: four, &relay) == [Endpoint(parsing: "203.0.113.77:3478")])
        #expect(try alternates(of: six, &relay) == [Endpoint(parsing: "[2001:db8::77]:3479")])
    }

    @Test("a server of one family is for the clients of that family alone", arguments: [IPAddress.Family.ipv4, .ipv6])
    func one(family: IPAddress.Family) throws {
        var relay = try TURNScenario()
        var servers = AlternateServers()
        let server = try Endpoint(parsing: family == .ipv4 ? "203.0.113.77:3478" : "[2001:db8::77]:3479")
        if family == .ipv4 { servers.ipv4 = server } else { servers.ipv6 = server }
        relay.shard.drain(to: servers)
        for client in [try relay.client("198.51.100.2:1"), try relay.client("[2001:db8::2]:1")] {
            let expected = client.flow.client.address.family == family ? [server] : nil
            #expect(try alternates(of: client, &relay) == expected)
        }
    }
}
