import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@testable import TURNRelay

@Suite("Refusals")
struct RefusalTests {
    @Test("400: integrity without USERNAME, REALM or NONCE")
    func incompleteCredential() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let seal = IntegritySeal(key: alice.key, algorithm: .sha1)
        let bytes = stunMessage(MessageType(.allocate, .request), sealedBy: seal) { builder in
            builder.appendRequestedTransport(.udp)
            builder.appendUsername("alice")
        }
        #expect(try relay.exchange(bytes, alice).code == 400)
    }

    @Test("400: an Allocate request without or with a malformed REQUESTED-TRANSPORT, LIFETIME or EVEN-PORT")
    func malformedAllocate() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        #expect(try relay.request(.allocate, from: alice).code == 400)
        for type in [AttributeType.requestedTransport, .lifetime, .evenPort] {
            let reply = try relay.request(.allocate, from: alice) { builder in
                builder.append(type, text: "wrong length")
                builder.appendRequestedTransport(.udp)
            }
            #expect(reply.code == 400 && reply.isSealed, "\(type)")
        }
    }

    @Test("401: unknown user, wrong password, ended credential")
    func unauthenticated() throws {
        var relay = try TURNScenario()
        let flow = try relay.client("198.51.100.7:40000").flow
        let strangers = [
            Client(flow: flow, username: "mallory", password: "wonderland"),
            Client(flow: flow, username: "alice", password: "Wonderland"),
            try relay.client("198.51.100.7:40000", name: "@alice:example.org", endingIn: 0),
        ]
        for stranger in strangers {
            let reply = try relay.exchange(relay.allocateBytes(stranger), stranger)
            #expect(reply.code == 401 && reply.nonce != nil && !reply.isSealed, "\(stranger.username)")
        }
        #expect(relay.leases.isEmpty && relay.shard.allocationCount == 0)
    }

    @Test("403: a denied peer by CreatePermission and ChannelBind, in every encoding, so that Send finds no permission")
    func forbidden() throws {
        var relay = try TURNScenario(allowing: []) { configuration in
            configuration.relays.ipv6 = RelayAddress(bound: IPAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 1))
        }
        let alice = try relay.client("198.51.100.7:40000")
        try relay.allocate(alice)
        // The policy is asked when a permission is made. An allowed peer's serves nobody else.
        #expect(try relay.permit(alice, "8.8.8.8").isSuccess)
        for peer in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "192.168.1.1", "224.0.0.1"] {
            #expect(try relay.permit(alice, peer).code == 403, "\(peer)")
            #expect(try relay.bind(alice, 0x4000, peer + ":80").code == 403, "\(peer)")
            #expect(try relay.permit(alice, "8.8.8.8", peer).code == 403, "\(peer)")
            #expect(try relay.send([1], from: alice, to: peer + ":80") == .drop(.noPermission), "\(peer)")
        }
        #expect(try relay.send([1], from: alice, to: "8.8.8.8:80").delivery != nil)
        let bob = try relay.client("198.51.100.8:40000", user: "bob")
        let reply = try relay.request(.allocate, from: bob) { builder in
            builder.appendRequestedTransport(.udp)
            builder.appendRequestedAddressFamily(.ipv6)
        }
        #expect(reply.isSuccess)
        #expect(try relay.permit(bob, "2a00:1450::1").isSuccess)
        let peers = [
            "::ffff:127.0.0.1", "::127.0.0.1", "2002:7f00:1::1", "64:ff9b::7f00:1", "2001:0:7f00:1::", "::1", "fe80::1",
        ]
        for peer in peers {
            #expect(try relay.permit(bob, peer).code == 403, "\(peer)")
            #expect(try relay.bind(bob, 0x4000, "[\(peer)]:80").code == 403, "\(peer)")
            #expect(try relay.send([1], from: bob, to: "[\(peer)]:80") == .drop(.noPermission), "\(peer)")
        }
        #expect(try relay.send([1], from: bob, to: "[2a00:1450::1]:80").delivery != nil)
    }

    @Test("420 with the attributes that are not served, sealed once the sender is known")
    func unknownAttributes() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let odd = AttributeType(rawValue: 0x7ABC)
        let reply = try relay.request(.allocate, from: alice) { builder in
            builder.appendRequestedTransport(.udp)
            builder.append(odd, text: "?")
        }
        #expect(reply.code == 420 && reply.isSealed)
        #expect(reply.unknownAttributes == [odd])
        let binding = stunMessage(MessageType(.binding, .request)) { $0.append(odd, text: "?") }
        #expect(try relay.exchange(binding, alice).unknownAttributes == [odd])
        let optional = try relay.request(.allocate, from: alice) { builder in
            builder.appendRequestedTransport(.udp)
            builder.append(AttributeType(rawValue: 0xBEEF), text: "?")
        }
        #expect(optional.isSuccess, "what need not be understood may be ignored")
        let other = try relay.request(.allocate, from: alice)
        #expect(other.code == 437 && !other.listsUnknownAttributes && !optional.listsUnknownAttributes)
    }

    @Test("437: every other request without an allocation")
    func allocationMismatch() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        #expect(try relay.refresh(alice).code == 437)
        #expect(try relay.refresh(alice, lifetime: 0).code == 437)
        #expect(try relay.permit(alice, "203.0.113.1").code == 437)
        #expect(try relay.bind(alice, 0x4000, "203.0.113.1:80").code == 437)
    }

    @Test("438: a nonce of long ago or of another address, and the new one serves")
    func staleNonce() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let old = relay.nonce(for: alice)
        relay.advance(bySeconds: 601)
        let stale = try relay.request(.allocate, from: alice, nonce: old) { $0.appendRequestedTransport(.udp) }
        #expect(stale.code == 438 && !stale.isSealed)
        let elsewhere = relay.nonce(for: try relay.client("198.51.100.8:1"))
        #expect(try relay.request(.allocate, from: alice, nonce: elsewhere).code == 438)
        let fresh = try relay.request(.allocate, from: alice, nonce: stale.nonce) { $0.appendRequestedTransport(.udp) }
        #expect(fresh.isSuccess)
    }

    @Test("440: an address family that is not served, or does not exist")
    func addressFamily() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let reply = try relay.request(.allocate, from: alice) { builder in
            builder.appendRequestedTransport(.udp)
            builder.appendRequestedAddressFamily(.ipv6)
        }
        #expect(reply.code == 440)
        let odd = try relay.request(.allocate, from: alice) { builder in
            builder.appendRequestedTransport(.udp)
            builder.append(.requestedAddressFamily, text: "\u{3}\0\0\0")
        }
        #expect(odd.code == 440)
    }

    @Test("441: a good credential that is not the allocation's")
    func wrongCredentials() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        try relay.allocate(alice)
        let bob = try relay.client("198.51.100.7:40000", user: "bob")
        #expect(try relay.refresh(bob, lifetime: 0).code == 441)
        #expect(try relay.permit(bob, "203.0.113.1").code == 441)
        #expect(try relay.bind(bob, 0x4000, "203.0.113.1:80").code == 441)
        #expect(relay.shard.allocationCount == 1)
    }

    @Test("441: names that look alike are different users")
    func lookalike() throws {
        var relay = try TURNScenario()
        let composed = try relay.client("198.51.100.7:40000", name: "ren\u{E9}", endingIn: 60)
        let decomposed = try relay.client("198.51.100.7:40000", name: "rene\u{301}", endingIn: 60)
        try relay.allocate(composed)
        #expect(try relay.refresh(decomposed, lifetime: 0).code == 441)
        #expect(try relay.refresh(composed, lifetime: 0).isSuccess)
    }

    @Test("442: a relay transport other than UDP")
    func unsupportedTransport() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let reply = try relay.request(.allocate, from: alice) { $0.appendRequestedTransport(.tcp) }
        #expect(reply.code == 442)
    }

    @Test("443: a peer, or a Refresh, of another family than the allocation")
    func familyMismatch() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        try relay.allocate(alice)
        #expect(try relay.permit(alice, "2001:db8::1").code == 443)
        #expect(try relay.bind(alice, 0x4000, "[2001:db8::1]:80").code == 443)
        #expect(try relay.request(.refresh, from: alice) { $0.appendRequestedAddressFamily(.ipv6) }.code == 443)
        #expect(try relay.request(.refresh, from: alice) { $0.appendRequestedAddressFamily(.ipv4) }.isSuccess)
    }

    @Test("486: a user's quota, which counts the name behind the expiry and comes back with the allocation")
    func quota() throws {
        var relay = try TURNScenario(quota: 2)
        let name = "@alice:example.org"
        let clients = try (0..<3).map { try relay.client("198.51.100.7:4000\($0)", name: name, endingIn: 60 + $0) }
        try relay.allocate(clients[0])
        try relay.allocate(clients[1])
        let refused = try relay.exchange(relay.allocateBytes(clients[2]), clients[2])
        #expect(refused.code == 486 && refused.isSealed)
        try relay.allocate(try relay.client("198.51.100.7:40009", name: "@alice:example.com", endingIn: 60))
        #expect(try relay.refresh(clients[0], lifetime: 0).lifetime == 0)
        try relay.allocate(clients[2])
    }

    @Test("508: out of ports, and served again when one is free")
    func capacity() throws {
        var relay = try TURNScenario(ports: 50_000...50_001)
        let clients = try (0..<3).map { try relay.client("198.51.100.7:4000\($0)") }
        try relay.allocate(clients[0])
        try relay.allocate(clients[1])
        #expect(try relay.exchange(relay.allocateBytes(clients[2]), clients[2]).code == 508)
        _ = try relay.refresh(clients[1], lifetime: 0)
        try relay.allocate(clients[2])
        #expect(relay.shard.allocationCount == 2)
    }

    @Test("508: no room in the shard")
    func otherCapacity() throws {
        var relay = try TURNScenario { $0.limits.allocationsPerShard = 1 }
        let alice = try relay.client("198.51.100.7:40000")
        try relay.allocate(alice)
        let bob = try relay.client("198.51.100.8:40000", user: "bob")
        #expect(try relay.exchange(relay.allocateBytes(bob), bob).code == 508)
    }

    @Test("no request fails while half of the relay ports belong to another process")
    func foreignPorts() throws {
        var relay = try TURNScenario(ports: 50_000...50_199)
        relay.takenPorts = 100
        for index in 0..<100 { try relay.allocate(try relay.client("198.51.100.7:\(30_000 + index)")) }
        let last = try relay.client("198.51.100.7:40000")
        #expect(try relay.exchange(relay.allocateBytes(last), last).code == 508)
    }

    @Test("a source that proves nothing gets its budget of challenges and then silence; requests that do go on")
    func replyBudget() throws {
        var relay = try TURNScenario { $0.limits.unauthenticatedRepliesPerSecond = 2 }
        let alice = try relay.client("198.51.100.7:40000")
        let bare = stunMessage(MessageType(.allocate, .request))
        for _ in 0..<50 { relay.deliver(bare, from: alice.flow) }
        #expect(relay.takeSent().count == 20, "ten times the rate at once")
        #expect(relay.takeEvents().contains(.dropped(.replyBudget)))
        try relay.allocate(alice)
        relay.advance(bySeconds: 1)
        for _ in 0..<50 { relay.deliver(bare, from: alice.flow) }
        #expect(relay.takeSent().count == 2)
        // 420 proves as little; the answer to a Binding that is understood is no refusal.
        let odd = stunMessage(MessageType(.binding, .request)) { $0.append(AttributeType(rawValue: 0x7777), text: "") }
        relay.deliver(odd, from: alice.flow)
        #expect(relay.takeSent().isEmpty)
        relay.deliver(stunMessage(MessageType(.binding, .request)), from: alice.flow)
        #expect(relay.takeSent().count == 1)
    }

    @Test("malformed messages, responses and unknown methods are dropped without an answer")
    func dropped() throws {
        var relay = try TURNScenario()
        let flow = try relay.client("198.51.100.7:40000").flow
        var wrongLength = stunMessage(MessageType(.binding, .request))
        wrongLength[3] = 4
        var wrongCookie = stunMessage(MessageType(.binding, .request))
        wrongCookie[4] ^= 1
        var wrongFingerprint = stunMessage(MessageType(.binding, .request), fingerprint: true)
        wrongFingerprint[27] ^= 1
        let expected: [([UInt8], DropReason)] = [
            (wrongLength, .malformedMessage), (wrongCookie, .malformedMessage), (wrongFingerprint, .badFingerprint),
            (stunMessage(MessageType(.binding, .success)), .unexpectedMessage),
            (stunMessage(MessageType(.allocate, .error)), .unexpectedMessage),
            (stunMessage(MessageType(.data, .indication)), .unexpectedMessage),
            (stunMessage(MessageType(MessageMethod(rawValue: 0x0FF), .request)), .unexpectedMessage),
        ]
        for (bytes, reason) in expected {
            relay.deliver(bytes, from: flow)
            #expect(relay.takeEvents() == [.dropped(reason)])
            relay.expectNothingSent()
        }
        for (bytes, reason) in [
            ([], .malformedMessage), ([0], .malformedMessage), ([0, 1, 0, 0], .malformedMessage),
            ([20], .unknownProtocol), ([63, 1], .unknownProtocol), ([80], .unknownProtocol), ([128], .unknownProtocol),
            ([64], .malformedChannelData), ([64, 0, 0, 1], .malformedChannelData), ([64, 0, 0, 0], .unknownChannel),
        ] as [([UInt8], DropReason)] {
            #expect(relay.deliver(bytes, from: flow) == .drop(reason), "\(bytes)")
        }
    }
}
