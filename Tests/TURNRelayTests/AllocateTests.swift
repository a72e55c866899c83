import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@testable import TURNRelay

@Suite("Allocate")
struct AllocateTests {
    @Test("the first request is challenged, the second gets relayed and mapped address and lifetime")
    func handshake() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let bare = stunMessage(MessageType(.allocate, .request)) { $0.appendRequestedTransport(.udp) }
        let challenge = try relay.exchange(bare, alice)
        #expect(challenge.code == 401 && challenge.realm == TURNScenario.realm && !challenge.isSealed)
        #expect(relay.shard.allocationCount == 0)

        let reply = try relay.request(.allocate, from: alice, nonce: challenge.nonce) { builder in
            builder.appendRequestedTransport(.udp)
        }
        #expect(reply.type == MessageType(.allocate, .success) && reply.isSealed && !reply.hasFingerprint)
        #expect(reply.mapped == alice.flow.client && reply.lifetime == 600)
        let relayed = try #require(reply.relayed)
        #expect(try relayed.address == IPAddress(parsing: "192.0.2.1") && relayed.port >= 49_152)
        let found = relay.shard.allocation(of: alice.flow)
        let id = try #require(found?.id)
        guard case .allocationOpened(id, alice.flow, relayed, nil, _) = relay.takeEvents().last else {
            Issue.record("the allocation was not reported")
            return
        }
        relay.expectNothingSent()
    }

    @Test(
        "the lifetime lies between ten minutes and an hour, whatever is asked",
        arguments: [
            (nil, 600), (0, 600), (1, 600), (600, 600), (1800, 1800), (3600, 3600), (3601, 3600), (UInt32.max, 3600),
        ] as [(UInt32?, UInt32)]
    )
    func lifetime(asked: UInt32?, granted: UInt32) throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let reply = try relay.exchange(relay.allocateBytes(alice, lifetime: asked), alice)
        #expect(reply.lifetime == granted)
        relay.advance(bySeconds: granted - 1)
        #expect(try relay.permit(alice, "203.0.113.1").isSuccess)
        relay.advance(bySeconds: 1)
        #expect(try relay.permit(alice, "203.0.113.1").code == 437)
    }

    @Test("a retransmitted request gets the same success, any other a mismatch")
    func retransmission() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let bytes = relay.allocateBytes(alice, lifetime: 700)
        relay.deliver(bytes, from: alice.flow)
        let first = relay.takeSent()
        relay.advance(bySeconds: 3)
        relay.deliver(bytes, from: alice.flow)
        #expect(relay.takeSent() == first && first.count == 1)
        #expect(relay.leases.count == 1 && relay.shard.allocationCount == 1)
        #expect(try relay.exchange(relay.allocateBytes(alice), alice).code == 437)
        let bob = try relay.client("198.51.100.7:40000", user: "bob")
        #expect(try relay.exchange(relay.allocateBytes(bob), bob).code == 437)
    }

    @Test("nothing is answered before the socket is there, and a retransmission meanwhile is dropped")
    func pending() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        relay.holdsOpening = true
        let bytes = relay.allocateBytes(alice)
        relay.deliver(bytes, from: alice.flow)
        relay.expectNothingSent()
        _ = relay.takeEvents()
        relay.deliver(bytes, from: alice.flow)
        relay.expectNothingSent()
        #expect(relay.takeEvents() == [.dropped(.allocationPending)])
        #expect(try relay.permit(alice, "203.0.113.1").code == 437, "nothing can be done with it yet")

        let id = try #require(relay.openings.keys.first)
        relay.complete(id, .opened(SocketID(slot: 99, generation: 1), try Endpoint(parsing: "192.0.2.1:50000")))
        let reply = try Reply(try #require(relay.takeSent().first).bytes, for: alice)
        #expect(try reply.isSuccess && reply.relayed == Endpoint(parsing: "192.0.2.1:50000"))
    }

    @Test("a socket for an allocation that is gone meanwhile is closed again")
    func lateSocket() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        relay.holdsOpening = true
        relay.deliver(relay.allocateBytes(alice), from: alice.flow)
        let id = try #require(relay.openings.keys.first)
        relay.advance(bySeconds: 601)
        relay.sweep()
        #expect(relay.shard.allocationCount == 0)
        var effects = EffectQueue()
        let socket = SocketID(slot: 9, generation: 9)
        let bound = try Endpoint(parsing: "192.0.2.1:50000")
        relay.shard.relayOpened(id, .opened(socket, bound), now: relay.now, into: &effects)
        #expect(effects.count == 1 && effects[0] == .closeRelay(socket))
    }

    @Test("behind a 1:1 NAT clients are told the address that the world sees")
    func externalAddress() throws {
        let bound = try IPAddress(parsing: "10.0.0.5")
        let external = try IPAddress(parsing: "203.0.113.77")
        var relay = try TURNScenario { configuration in
            configuration.relays.ipv4 = RelayAddress(bound: bound, external: external)
        }
        let alice = try relay.client("198.51.100.7:40000")
        let relayed = try relay.allocate(alice)
        let lease = try #require(relay.leases.values.first)
        #expect(lease.endpoint == Endpoint(address: bound, port: relayed.port))
        #expect(relayed.address == external)
    }

    @Test("a listener's own relay address goes before the general one")
    func relayByListener() throws {
        let other = try IPAddress(parsing: "192.0.2.200")
        var relay = try TURNScenario { configuration in
            configuration.relaysByListener[TURNScenario.listener] = RelayAddresses(ipv4: RelayAddress(bound: other))
        }
        let alice = try relay.client("198.51.100.7:40000")
        #expect(try relay.allocate(alice).address == other)
    }

    @Test("an IPv6 relay is given where one is served")
    func ipv6() throws {
        let address = try IPAddress(parsing: "2001:db8::1")
        var relay = try TURNScenario { $0.relays.ipv6 = RelayAddress(bound: address) }
        let alice = try relay.client("198.51.100.7:40000")
        let reply = try relay.request(.allocate, from: alice) { builder in
            builder.appendRequestedTransport(.udp)
            builder.appendRequestedAddressFamily(.ipv6)
        }
        #expect(reply.relayed?.address == address)
        let other = try relay.client("[2001:db8::7]:40000")
        #expect(try relay.allocate(other).address.family == .ipv4, "without the attribute IPv4 is meant")
        #expect(try relay.permit(alice, "203.0.113.1").code == 443)
        #expect(try relay.permit(alice, "2001:db8::9").isSuccess)
        let verdict = try relay.send([1, 2], from: alice, to: "[2001:db8::9]:7")
        #expect(try verdict.delivery == Delivery(framing: .raw, destination: Endpoint(parsing: "[2001:db8::9]:7")))
    }

    @Test("EVEN-PORT gives an even port")
    func evenPort() throws {
        var relay = try TURNScenario()
        for port in 40_000..<40_020 {
            let alice = try relay.client("198.51.100.7:\(port)")
            let reply = try relay.request(.allocate, from: alice) { builder in
                builder.appendRequestedTransport(.udp)
                builder.appendEvenPort(EvenPort(reservesNextPort: false))
            }
            #expect(try #require(reply.relayed).port.isMultiple(of: 2))
        }
    }

    @Test("a response carries FINGERPRINT if its request did, later answers included")
    func fingerprint() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let nonce = relay.nonce(for: alice)
        let seal = IntegritySeal(key: alice.key, algorithm: .sha1)
        let bytes = stunMessage(MessageType(.allocate, .request), sealedBy: seal, fingerprint: true) { builder in
            builder.appendRequestedTransport(.udp)
            builder.appendUsername(alice.username)
            builder.appendRealm(TURNScenario.realm)
            builder.appendNonce(nonce)
        }
        #expect(try relay.exchange(bytes, alice).hasFingerprint)
    }

    @Test("Binding is answered with the address that was seen")
    func binding() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let reply = try relay.exchange(stunMessage(MessageType(.binding, .request)), alice)
        #expect(reply.isSuccess && reply.mapped == alice.flow.client)
        relay.deliver(stunMessage(MessageType(.binding, .indication)), from: alice.flow)
        relay.expectNothingSent()
    }
}
