import NetPrimitives
import STUNCore
import TestSupport
import Testing

@testable import TURNRelay

@Suite("DONT-FRAGMENT")
struct DontFragmentTests {
    private let bob = "203.0.113.9:5000"

    private func send(_ attributes: (inout MessageBuilder) -> Void, fingerprint: Bool = false) throws -> [UInt8] {
        let peer = try Endpoint(parsing: bob)
        let payload: [UInt8] = [1, 2, 3]
        return stunMessage(MessageType(.send, .indication), fingerprint: fingerprint) { builder in
            builder.appendXORAddress(.xorPeerAddress, peer)
            attributes(&builder)
            builder.appendData(payload.span.rawBytes)
        }
    }

    private func forward(_ verdict: Verdict) throws -> Forward {
        guard case .forward(let forward) = verdict else {
            Issue.record("not relayed: \(verdict)")
            throw NotRelayed()
        }
        return forward
    }

    private struct NotRelayed: Error {}

    private func permitted(_ relay: inout TURNScenario) throws -> Client {
        let alice = try relay.client("198.51.100.7:40000")
        try relay.allocate(alice)
        #expect(try relay.permit(alice, "203.0.113.9").isSuccess)
        return alice
    }

    @Test("an Allocate request with it is granted, so that clients know it is served (RFC 8656 §7.2)")
    func allocate() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let reply = try relay.request(.allocate, from: alice) { builder in
            builder.appendRequestedTransport(.udp)
            builder.appendDontFragment()
        }
        #expect(reply.isSuccess)
    }

    @Test("in other requests it is known, not expected, and ignored (RFC 8489 §6.3)")
    func elsewhere() throws {
        var relay = try TURNScenario()
        let alice = try permitted(&relay)
        #expect(try relay.request(.refresh, from: alice) { $0.appendDontFragment() }.isSuccess)
    }

    @Test("with a value it is malformed: 400 to Allocate, and the Send indication is dropped (RFC 8656 §18.9)")
    func value() throws {
        var relay = try TURNScenario()
        let alice = try permitted(&relay)
        let carol = try relay.client("198.51.100.8:40000", user: "bob")
        for text in ["x", "xyz1"] {
            #expect(try relay.allocate(carol) { $0.append(.dontFragment, text: text) }.code == 400)
            let bytes = try send { $0.append(.dontFragment, text: text) }
            #expect(relay.deliver(bytes, from: alice.flow) == .drop(.malformedIndication))
        }
        let doubled = try send { builder in
            builder.appendDontFragment()
            builder.append(.dontFragment, text: "x")
        }
        #expect(try forward(relay.deliver(doubled, from: alice.flow)).dontFragment, "of two the first counts")
    }

    @Test("a Send indication with it, and no other, is relayed in one piece (RFC 8656 §11.2)")
    func sendIndication() throws {
        var relay = try TURNScenario()
        let alice = try permitted(&relay)
        let with = relay.deliver(try send { $0.appendDontFragment() }, from: alice.flow)
        #expect(try forward(with).dontFragment)
        let without = relay.deliver(try send { _ in }, from: alice.flow)
        #expect(try !forward(without).dontFragment)
        #expect(try relay.bind(alice, 0x4000, bob).isSuccess)
        #expect(
            try !forward(relay.send([1], from: alice, by: 0x4000)).dontFragment,
            "channels cannot ask for it (§12.5)"
        )
        #expect(try !forward(relay.peerSends(from: bob, to: alice)).dontFragment)
    }

    @Test(
        "between families and over IPv6 a Send indication with it is relayed like any other (RFC 8656 §13)",
        arguments: [
            ("198.51.100.7:40000", "[2001:db8::9]:5000"), ("[2001:db8::7]:40000", "203.0.113.9:5000"),
            ("[2001:db8::7]:40000", "[2001:db8::9]:5000"),
        ]
    )
    func ignored(client: String, peer: String) throws {
        var relay = try TURNScenario { $0.relays.ipv6 = RelayAddress(bound: try IPAddress(parsing: "2001:db8::1")) }
        let alice = try relay.client(client)
        #expect(try relay.allocate(alice) { $0.appendAdditionalAddressFamily(.ipv6) }.allRelayed.count == 2)
        let target = try Endpoint(parsing: peer)
        #expect(try relay.permit(alice, "\(target.address)").isSuccess)
        let payload: [UInt8] = [1, 2, 3]
        let bytes = stunMessage(MessageType(.send, .indication)) { builder in
            builder.appendXORAddress(.xorPeerAddress, target)
            builder.appendDontFragment()
            builder.appendData(payload.span.rawBytes)
        }
        let relayed = try forward(relay.deliver(bytes, from: alice.flow))
        #expect(!relayed.dontFragment && relayed.destination == target)
    }

    @Test("behind an integrity attribute it does not exist, here as anywhere (RFC 8489 §14.5)")
    func behindIntegrity() throws {
        var relay = try TURNScenario()
        let alice = try permitted(&relay)
        let peer = try Endpoint(parsing: bob)
        let payload: [UInt8] = [1]
        let zeros = [UInt8](repeating: 0, count: 20)
        let bytes = stunMessage(MessageType(.send, .indication)) { builder in
            builder.appendXORAddress(.xorPeerAddress, peer)
            builder.appendData(payload.span.rawBytes)
            builder.append(.messageIntegrity, zeros.span.rawBytes)
            builder.appendDontFragment()
        }
        #expect(try !forward(relay.deliver(bytes, from: alice.flow)).dontFragment)
    }

    @Test("a Send indication's FINGERPRINT must be right and last if it is there (RFC 8489 §7, §14.7)")
    func fingerprint() throws {
        var relay = try TURNScenario()
        let alice = try permitted(&relay)
        let right = try send({ _ in }, fingerprint: true)
        #expect(relay.deliver(right, from: alice.flow).delivery != nil)
        for offset in [8, 30, right.count - 1] {
            var wrong = right
            wrong[offset] ^= 1
            // A changed address is a changed peer, and refused as such before anybody computes a checksum.
            let expected: DropReason = offset == 30 ? .noPermission : .badFingerprint
            #expect(relay.deliver(wrong, from: alice.flow) == .drop(expected), "byte \(offset)")
        }
        let early = try send { $0.append(.fingerprint, [0, 0, 0, 0].span.rawBytes) }
        #expect(relay.deliver(early, from: alice.flow) == .drop(.malformedIndication), "DATA behind it does not exist")
        let stranger = try relay.client("198.51.100.8:40000")
        var wrong = right
        wrong[right.count - 1] ^= 1
        #expect(relay.deliver(wrong, from: stranger.flow) == .drop(.noAllocation), "no checksum for strangers")
    }
}
