import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@testable import TURNRelay

/// RFC 8656 §5: what holds for every message, whatever its method.
@Suite("General behaviour")
struct GeneralBehaviourTests {
    private let bob = "203.0.113.9:5000"
    private static let methods: [MessageMethod] = [.allocate, .refresh, .createPermission, .channelBind]

    @Test("every request is challenged that proves nothing, with an allocation and without")
    func everyRequestIsAuthenticated() throws {
        var relay = try TURNScenario { $0.limits.unauthenticatedRepliesPerSecond = 0 }
        let alice = try relay.client("198.51.100.7:40000")
        for isAllocated in [false, true] {
            if isAllocated { try relay.allocate(alice) }
            for method in Self.methods {
                let bytes = stunMessage(MessageType(method, .request)) { builder in
                    builder.appendRequestedTransport(.udp)
                    builder.appendLifetime(seconds: 0)
                    builder.appendChannelNumber(0x4000)
                    builder.appendXORAddress(.xorPeerAddress, Endpoint(address: IPAddress(ipv4: 0xCB00_7109), port: 9))
                }
                let reply = try relay.exchange(bytes, alice)
                #expect(reply.code == 401 && reply.nonce != nil && !reply.isSealed, "\(method)")
            }
        }
        #expect(try relay.sends([1], from: alice, to: bob) == .dropped(.noPermission))
        #expect(relay.shard.allocationCount == 1)
    }

    @Test("an indication is never authenticated: a credential in it counts for nothing")
    func indicationsAreNotAuthenticated() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let relayed = try relay.allocate(alice)
        _ = try relay.permit(alice, "203.0.113.9")
        let peer = try Endpoint(parsing: bob)
        let mallory = IntegritySeal(key: .shortTerm(password: "guessed"), algorithm: .sha1)
        let bytes = stunMessage(MessageType(.send, .indication), sealedBy: mallory) { builder in
            builder.appendXORAddress(.xorPeerAddress, peer)
            builder.append(.data, text: "x")
            builder.appendUsername("mallory")
        }
        let arrived = try relay.arrival(of: bytes, from: alice)
        #expect(arrived == .datagram(from: relayed, to: peer, [UInt8(ascii: "x")]))
    }

    @Test("without an allocation, indications and ChannelData vanish without a word")
    func silence() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        #expect(try relay.sends([1], from: alice, to: bob) == .dropped(.noAllocation))
        #expect(try relay.sends([1], from: alice, by: 0x4000) == .dropped(.unknownChannel))
        relay.expectNothingSent()
    }

    @Test("a 5-tuple is told from another by the client's port alone")
    func fiveTuples() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let other = try relay.client("198.51.100.7:40001")
        let first = try relay.allocate(alice)
        let second = try relay.allocate(other)
        #expect(first != second)
        _ = try relay.permit(alice, "203.0.113.9")
        #expect(try relay.sends([1], from: other, to: bob) == .dropped(.noPermission))
        #expect(try relay.receives([1], from: bob, at: other) == .dropped(.noPermission))
        #expect(try relay.refresh(alice, lifetime: 0).isSuccess)
        #expect(try relay.permit(other, "203.0.113.9").isSuccess, "the end of one is not the other's")
    }

    @Test("a repeated request is answered alike, and Refresh to zero with 437, which clients take for success")
    func idempotency() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        try relay.allocate(alice)
        let peer = try Endpoint(parsing: bob)
        let requests = [
            relay.requestBytes(.refresh, from: alice) { $0.appendLifetime(seconds: 900) },
            relay.requestBytes(.createPermission, from: alice) { $0.appendXORAddress(.xorPeerAddress, peer) },
            relay.requestBytes(.channelBind, from: alice) { builder in
                builder.appendChannelNumber(0x4000)
                builder.appendXORAddress(.xorPeerAddress, peer)
            },
        ]
        for bytes in requests {
            let first = try relay.exchange(bytes, alice)
            #expect(try first.isSuccess && relay.exchange(bytes, alice) == first)
        }
        let end = relay.requestBytes(.refresh, from: alice) { $0.appendLifetime(seconds: 0) }
        #expect(try relay.exchange(end, alice).lifetime == 0)
        #expect(try relay.exchange(end, alice).code == 437)
    }

    @Test("methods and classes that do not go together get no answer")
    func undefinedTypes() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        try relay.allocate(alice)
        _ = relay.takeEvents()
        var types: [MessageType] = [
            MessageType(.send, .request), MessageType(.data, .request), MessageType(.data, .indication),
            MessageType(.send, .success), MessageType(.data, .error),
        ]
        types += Self.methods.map { MessageType($0, .indication) }
        types += Self.methods.map { MessageType($0, .success) }
        // Connect, ConnectionBind and ConnectionAttempt of RFC 6062, and what nobody has defined.
        for number: UInt16 in [0x000, 0x002, 0x005, 0x00A, 0x00B, 0x00C, 0x0FF] {
            types.append(MessageType(MessageMethod(rawValue: number), .request))
            types.append(MessageType(MessageMethod(rawValue: number), .indication))
        }
        for type in types {
            relay.deliver(stunMessage(type), from: alice.flow)
            relay.expectNothingSent()
            #expect(relay.takeEvents() == [.dropped(.unexpectedMessage)], "\(type)")
        }
        #expect(relay.shard.allocationCount == 1)
    }

    @Test("Binding is answered on an allocated 5-tuple and changes nothing")
    func bindingBesideAllocation() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        try relay.allocate(alice)
        relay.advance(bySeconds: 599)
        #expect(try relay.exchange(stunMessage(MessageType(.binding, .request)), alice).mapped == alice.flow.client)
        relay.advance(bySeconds: 1)
        #expect(try relay.refresh(alice).code == 437)
    }

    @Test("of an attribute that comes twice the first counts")
    func doubles() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let reply = try relay.request(.allocate, from: alice) { builder in
            builder.appendRequestedTransport(.udp)
            builder.appendRequestedTransport(.tcp)
            builder.appendLifetime(seconds: 700)
            builder.appendLifetime(seconds: 3000)
        }
        #expect(reply.lifetime == 700)
        let first = try Endpoint(parsing: bob)
        let second = try Endpoint(parsing: "203.0.113.10:5000")
        let bound = try relay.request(.channelBind, from: alice) { builder in
            builder.appendChannelNumber(0x4000)
            builder.appendChannelNumber(0x4001)
            builder.appendXORAddress(.xorPeerAddress, first)
            builder.appendXORAddress(.xorPeerAddress, second)
        }
        #expect(bound.isSuccess)
        let relayed = try #require(reply.relayed)
        #expect(try relay.sends([1], from: alice, by: 0x4000) == .datagram(from: relayed, to: first, [1]))
        #expect(try relay.sends([1], from: alice, by: 0x4001) == .dropped(.unknownChannel))
        #expect(try relay.sends([1], from: alice, to: "203.0.113.10:5000") == .dropped(.noPermission))
        let indication = stunMessage(MessageType(.send, .indication)) { builder in
            builder.appendXORAddress(.xorPeerAddress, first)
            builder.appendXORAddress(.xorPeerAddress, second)
            builder.append(.data, text: "a")
            builder.append(.data, text: "b")
        }
        #expect(
            try relay.arrival(of: indication, from: alice)
                == .datagram(from: relayed, to: first, [UInt8(ascii: "a")])
        )
    }

    @Test("an attribute of a length or family that it cannot have is a bad request")
    func malformedAttributes() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let carol = try relay.client("198.51.100.8:40000", user: "bob")
        try relay.allocate(alice)
        let odd: [[UInt8]] = [
            [], [0], [0x40], [0, 1, 2], [0, 1, 2, 3, 4], [0, 9, 0, 0, 1, 2, 3, 4], [0, 2, 0, 9, 1, 2, 3, 4],
        ]
        for value in odd {
            let bytes = value
            let permission = try relay.request(.createPermission, from: alice) { builder in
                builder.append(.xorPeerAddress, bytes.span.rawBytes)
            }
            #expect(permission.code == 400 && permission.isSealed, "CreatePermission \(value)")
            let peerless = try relay.request(.channelBind, from: alice) { builder in
                builder.appendChannelNumber(0x4000)
                builder.append(.xorPeerAddress, bytes.span.rawBytes)
            }
            #expect(peerless.code == 400, "ChannelBind \(value)")
            let numberless = try relay.request(.channelBind, from: alice) { builder in
                builder.append(.channelNumber, bytes.span.rawBytes)
                builder.appendXORAddress(.xorPeerAddress, Endpoint(address: IPAddress(ipv4: 0xCB00_7109), port: 9))
            }
            #expect(numberless.code == 400, "CHANNEL-NUMBER \(value)")
            let refresh = try relay.request(.refresh, from: alice) { $0.append(.lifetime, bytes.span.rawBytes) }
            #expect(refresh.code == 400, "LIFETIME \(value)")
            let half = try relay.request(.refresh, from: alice) { builder in
                builder.append(.requestedAddressFamily, bytes.span.rawBytes)
            }
            #expect(half.code == 400, "Refresh, REQUESTED-ADDRESS-FAMILY \(value)")
            for type in [AttributeType.requestedAddressFamily, .additionalAddressFamily, .dontFragment] {
                // DONT-FRAGMENT alone is whole without a value.
                if type == .dontFragment, value.isEmpty { continue }
                let reply = try relay.allocate(carol) { $0.append(type, bytes.span.rawBytes) }
                #expect(reply.code == 400 && reply.isSealed, "Allocate, \(type) \(value)")
            }
        }
        #expect(relay.shard.allocationCount == 1)
    }

    @Test("the first byte alone tells STUN and ChannelData from all else, which is dropped (RFC 8656 §12)")
    func firstByte() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        try relay.allocate(alice)
        #expect(try relay.bind(alice, 0x4001, bob).isSuccess)
        let binding = stunMessage(MessageType(.binding, .request))
        for first in UInt8.min...UInt8.max {
            var bytes = binding
            bytes[0] = first
            let verdict = relay.shard.route(bytes.span.rawBytes, from: alice.flow, now: relay.now)
            switch first {
            case 0...3: #expect(verdict == .control, "\(first)")
            // The message's type is channel 0x4001, its length of zero the payload's.
            case 64: #expect(verdict.delivery != nil)
            case 65...79: #expect(verdict == .drop(.unknownChannel), "\(first)")
            default: #expect(verdict == .drop(.unknownProtocol), "\(first)")
            }
        }
    }

    @Test("reserved bits are ignored on receipt")
    func reservedBits() throws {
        var relay = try TURNScenario { configuration in
            configuration.relays.ipv6 = RelayAddress(bound: IPAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 1))
        }
        let alice = try relay.client("198.51.100.7:40000")
        let transport: [UInt8] = [17, 0xFF, 0xFF, 0xFF]
        let family: [UInt8] = [2, 0xFF, 0xFF, 0xFF]
        let evenPort: [UInt8] = [0x7F]
        let reply = try relay.request(.allocate, from: alice) { builder in
            builder.append(.requestedTransport, transport.span.rawBytes)
            builder.append(.requestedAddressFamily, family.span.rawBytes)
            builder.append(.evenPort, evenPort.span.rawBytes)
        }
        let relayed = try #require(reply.relayed)
        #expect(relayed.address.family == .ipv6 && relayed.port.isMultiple(of: 2))
        let number: [UInt8] = [0x40, 0x00, 0xFF, 0xFF]
        let peer = try Endpoint(parsing: "[2001:db8::9]:7")
        let bound = try relay.request(.channelBind, from: alice) { builder in
            builder.append(.channelNumber, number.span.rawBytes)
            builder.appendXORAddress(.xorPeerAddress, peer)
        }
        #expect(bound.isSuccess)
        #expect(try relay.sends([1], from: alice, by: 0x4000) == .datagram(from: relayed, to: peer, [1]))
        let other = try relay.client("198.51.100.7:40001")
        let both = try relay.allocate(other) { $0.append(.additionalAddressFamily, family.span.rawBytes) }
        #expect(both.allRelayed.map(\.address.family) == [.ipv4, .ipv6])
    }
}
