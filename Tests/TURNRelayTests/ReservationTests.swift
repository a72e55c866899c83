import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@testable import TURNRelay

@Suite("EVEN-PORT and RESERVATION-TOKEN (RFC 8656 §7.2)")
struct ReservationTests {
    private func reserve(_ relay: inout TURNScenario, _ client: Client) throws -> Reply {
        try relay.allocate(client) { $0.appendEvenPort(EvenPort(reservesNextPort: true)) }
    }

    private func redeem(_ relay: inout TURNScenario, _ client: Client, _ token: ReservationToken) throws -> Reply {
        try relay.allocate(client) { $0.appendReservationToken(token) }
    }

    @Test("R = 1: an even port and a token, which another 5-tuple of the same user turns into the next port")
    func pair() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let bytes = relay.requestBytes(.allocate, from: alice) { builder in
            builder.appendRequestedTransport(.udp)
            builder.appendEvenPort(EvenPort(reservesNextPort: true))
        }
        relay.deliver(bytes, from: alice.flow)
        let first = relay.takeSent()
        let reply = try Reply(try #require(first.first).bytes, for: alice)
        let even = try #require(reply.relayed)
        let token = try #require(reply.token)
        #expect(reply.isSuccess && even.port.isMultiple(of: 2))
        relay.deliver(bytes, from: alice.flow)
        #expect(relay.takeSent() == first, "a retransmission gets the same port and the same token")
        #expect(relay.registry.reservationCount == 1)

        relay.advance(bySeconds: 29)
        let again = try relay.client("198.51.100.9:1234")
        let redeemed = try redeem(&relay, again, token)
        #expect(redeemed.relayed == Endpoint(address: even.address, port: even.port + 1))
        #expect(redeemed.isSuccess && redeemed.token == nil)
        #expect(relay.registry.reservationCount == 0 && relay.leases.count == 2)
    }

    @Test("508: a token that is unknown, used, ended, or another user's")
    func badTokens() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let other = try relay.client("198.51.100.7:40001")
        let bob = try relay.client("198.51.100.8:40000", user: "bob")
        let unknown = try redeem(&relay, alice, ReservationToken(bits: 0))
        #expect(unknown.code == 508 && unknown.isSealed)
        let token = try #require(try reserve(&relay, alice).token)
        #expect(try redeem(&relay, bob, token).code == 508, "nobody takes what was kept for another")
        #expect(try redeem(&relay, other, token).isSuccess)
        #expect(try redeem(&relay, bob, token).code == 508)
        #expect(try redeem(&relay, try relay.client("198.51.100.7:40002"), token).code == 508)

        let late = try relay.client("198.51.100.7:40003")
        let second = try reserve(&relay, late)
        relay.advance(bySeconds: 30)
        #expect(try redeem(&relay, try relay.client("198.51.100.7:40004"), try #require(second.token)).code == 508)
        #expect(relay.registry.reservationCount == 0)
        #expect(relay.registry.leaseCount(of: "static alice") == 3)
    }

    @Test(
        "400: a token that is malformed or stands beside EVEN-PORT or REQUESTED-ADDRESS-FAMILY, and it is not used up"
    )
    func badRequests() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let other = try relay.client("198.51.100.7:40001")
        let token = try #require(try reserve(&relay, alice).token)
        let asking: [(inout MessageBuilder) -> Void] = [
            { $0.append(.reservationToken, text: "short") },
            { builder in
                builder.appendReservationToken(token)
                builder.appendEvenPort(EvenPort(reservesNextPort: false))
            },
            { builder in
                builder.appendReservationToken(token)
                builder.appendRequestedAddressFamily(.ipv4)
            },
            { builder in
                builder.appendReservationToken(token)
                builder.appendAdditionalAddressFamily(.ipv6)
            },
        ]
        for attributes in asking { #expect(try relay.allocate(other, asking: attributes).code == 400) }
        #expect(try redeem(&relay, other, token).isSuccess)
    }

    /// After coturn's 4adbd82e: there R = 0 kept the odd sibling as well, and never gave it back.
    @Test("R = 0 reserves nothing: every odd port stays free")
    func evenPortLeaksNoSibling() throws {
        var relay = try TURNScenario(ports: 50_000...50_009)
        for round in 0..<20 {
            var clients: [Client] = []
            for index in 0..<5 {
                let client = try relay.client("198.51.100.7:\(40_000 + round * 10 + index)")
                let reply = try relay.allocate(client) { $0.appendEvenPort(EvenPort(reservesNextPort: false)) }
                #expect(try #require(reply.relayed).port.isMultiple(of: 2) && reply.token == nil)
                clients.append(client)
            }
            for index in 5..<10 {
                let client = try relay.client("198.51.100.7:\(40_000 + round * 10 + index)")
                #expect(try !relay.allocate(client).port.isMultiple(of: 2))
                clients.append(client)
            }
            for client in clients { #expect(try relay.refresh(client, lifetime: 0).isSuccess) }
            #expect(relay.registry.leaseCount == 0 && relay.registry.reservationCount == 0)
        }
    }

    @Test("508: no pair is free; a reserved port is given to nobody else until its time is over")
    func exhaustion() throws {
        var relay = try TURNScenario(ports: 50_001...50_004)
        let clients = try (0..<5).map { try relay.client("198.51.100.7:4000\($0)") }
        let pair = try reserve(&relay, clients[0])
        #expect(pair.relayed?.port == 50_002, "50,004 has no neighbour")
        #expect(try reserve(&relay, clients[1]).code == 508)
        try relay.allocate(clients[1])
        try relay.allocate(clients[2])
        #expect(try relay.exchange(relay.allocateBytes(clients[3]), clients[3]).code == 508)
        relay.advance(bySeconds: 30)
        #expect(try relay.allocate(clients[3]).port == 50_003)
    }

    @Test("a reservation counts against the quota, and the one who redeems it needs no more")
    func quota() throws {
        var relay = try TURNScenario(quota: 2)
        let clients = try (0..<3).map { try relay.client("198.51.100.7:4000\($0)") }
        let token = try #require(try reserve(&relay, clients[0]).token)
        #expect(try relay.exchange(relay.allocateBytes(clients[1]), clients[1]).code == 486)
        #expect(try redeem(&relay, clients[1], token).isSuccess)
        #expect(try relay.refresh(clients[0], lifetime: 0).isSuccess)
        #expect(try reserve(&relay, clients[2]).code == 486, "there is room for one only")
        try relay.allocate(clients[2])
    }

    @Test("a pair of an IPv6 relay, told behind a NAT as the world sees it, whatever listener redeems it")
    func externalPair() throws {
        let bound = IPAddress(ipv6High: 0xFD00_0000_0000_0000, low: 5)
        let external = IPAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 77)
        let other = SocketID(slot: 1, generation: 0)
        var relay = try TURNScenario { configuration in
            let here = RelayAddresses(ipv6: RelayAddress(bound: bound, external: external))
            configuration.relaysByListener[TURNScenario.listener] = RelayAddresses()
            configuration.relaysByListener[other] = here
        }
        let alice = try relay.client("198.51.100.7:40000")
        let token: ReservationToken
        switch relay.registry.lease("static alice", .evenAndNext(bound), now: relay.now, random: &relay.random) {
        case .leased(let lease): token = try #require(lease.reservation)
        default: throw Unleased()
        }
        let reply = try redeem(&relay, alice, token)
        #expect(reply.relayed?.address == external && reply.relayed?.port.isMultiple(of: 2) == false)
    }
}

private struct Unleased: Error {}
