import NetPrimitives
import STUNCore
import TestSupport
import Testing

@testable import TURNRelay

/// RFC 8656 §7.2 gives the checks of an Allocate request an order: with several faults, the first is told.
@Suite("The order of Allocate's checks")
struct AllocateOrderTests {
    private static let odd = AttributeType(rawValue: 0x7ABC)

    @Test("authentication comes before everything else, and unknown attributes before the 5-tuple")
    func authenticationFirst() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:40000")
        let bare = stunMessage(MessageType(.allocate, .request)) { $0.append(Self.odd, text: "?") }
        #expect(try relay.exchange(bare, alice).code == 401)
        try relay.allocate(alice)
        #expect(try relay.request(.allocate, from: alice) { $0.append(Self.odd, text: "?") }.code == 420)
    }

    @Test("then the 5-tuple, then the transport, then the relayed address that is asked for")
    func order() throws {
        var relay = try TURNScenario(quota: 1)
        let alice = try relay.client("198.51.100.7:40000")
        // No transport, and an impossible family: the transport is told.
        let noTransport = try relay.request(.allocate, from: alice) { $0.appendRequestedAddressFamily(.ipv6) }
        #expect(noTransport.code == 400)
        // An unsupported transport, and an impossible family: the transport.
        let tcp = try relay.request(.allocate, from: alice) { builder in
            builder.appendRequestedAddressFamily(.ipv6)
            builder.appendRequestedTransport(.tcp)
        }
        #expect(tcp.code == 442)
        try relay.allocate(alice)
        // An allocation, no transport: the allocation.
        #expect(try relay.request(.allocate, from: alice).code == 437)
        // Over quota, and an impossible family: the family.
        let other = try relay.client("198.51.100.7:40001")
        let family = try relay.request(.allocate, from: other) { builder in
            builder.appendRequestedTransport(.udp)
            builder.appendRequestedAddressFamily(.ipv6)
        }
        #expect(family.code == 440)
        #expect(try relay.exchange(relay.allocateBytes(other), other).code == 486)
    }

    @Test("relay ports are drawn from the range alone, and not in a row")
    func ports() throws {
        var relay = try TURNScenario()
        var ports: [UInt16] = []
        for index in 0..<50 {
            ports.append(try relay.allocate(try relay.client("198.51.100.7:\(30_000 + index)")).port)
        }
        #expect(ports.allSatisfy { (49_152...65_535).contains($0) })
        let steps = zip(ports, ports.dropFirst()).map { Int($1) - Int($0) }
        #expect(Set(steps).count > 40, "the next port does not follow from the last")
    }
}
