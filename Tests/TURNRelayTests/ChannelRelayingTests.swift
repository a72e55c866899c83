import NetPrimitives
import STUNCore
import TestSupport
import Testing

@testable import TURNRelay

/// RFC 8656 §12.4 to §12.7: ChannelData on the wire.
@Suite("ChannelData")
struct ChannelRelayingTests {
    private let bob = "203.0.113.9:5000"

    private func bound(_ relay: inout TURNScenario, _ number: UInt16) throws -> (Client, Endpoint) {
        let alice = try relay.client("198.51.100.7:40000")
        let relayed = try relay.allocate(alice)
        #expect(try relay.bind(alice, number, bob).isSuccess)
        return (alice, relayed)
    }

    @Test(
        "the first and the last channel number carry data; the numbers beside them are discarded",
        arguments: [0x4000, 0x4FFF] as [UInt16]
    )
    func edges(number: UInt16) throws {
        var relay = try TURNScenario()
        let (alice, relayed) = try bound(&relay, number)
        let peer = try Endpoint(parsing: bob)
        #expect(try relay.sends([1, 2], from: alice, by: number) == .datagram(from: relayed, to: peer, [1, 2]))
        #expect(try relay.receives([3], from: bob, at: alice) == .channelData(number, [3]))
        #expect(try relay.sends([1], from: alice, by: 0x4800) == .dropped(.unknownChannel), "it is not bound")
        #expect(try relay.sends([1], from: alice, by: 0x5000) == .dropped(.unknownProtocol))
        #expect(try relay.sends([1], from: alice, by: 0x7FFF) == .dropped(.unknownProtocol))
        #expect(try relay.sends([1], from: alice, by: 0xFFFF) == .dropped(.unknownProtocol))
        #expect(try relay.sends([1], from: alice, by: 0x3FFF) == .dropped(.unknownProtocol))
    }

    @Test("no data is a datagram too, in both directions and both framings")
    func empty() throws {
        var relay = try TURNScenario()
        let (alice, relayed) = try bound(&relay, 0x4000)
        let peer = try Endpoint(parsing: bob)
        #expect(try relay.sends([], from: alice, by: 0x4000) == .datagram(from: relayed, to: peer, []))
        #expect(try relay.sends([], from: alice, to: bob) == .datagram(from: relayed, to: peer, []))
        #expect(try relay.receives([], from: bob, at: alice) == .channelData(0x4000, []))
        let other = try Endpoint(parsing: "203.0.113.9:5001")
        #expect(try relay.receives([], from: "203.0.113.9:5001", at: alice) == .dataIndication(peer: other, []))
    }

    @Test("padding is allowed over UDP and not passed on; a length beyond the datagram is discarded", arguments: 0...8)
    func padding(count: Int) throws {
        var relay = try TURNScenario()
        let (alice, relayed) = try bound(&relay, 0x4000)
        let peer = try Endpoint(parsing: bob)
        let payload = (0..<count).map { UInt8($0 + 1) }
        for padding in 0...4 {
            let bytes = channelData(payload, 0x4000) + [UInt8](repeating: 0xEE, count: padding)
            #expect(try relay.arrival(of: bytes, from: alice) == .datagram(from: relayed, to: peer, payload))
        }
        for missing in 0..<count {
            let bytes = Array(channelData(payload, 0x4000).prefix(4 + missing))
            #expect(try relay.arrival(of: bytes, from: alice) == .dropped(.malformedChannelData))
        }
        #expect(try relay.receives(payload, from: bob, at: alice) == .channelData(0x4000, payload), "sent unpadded")
    }

    @Test(
        "Send indications and ChannelData mix freely towards a peer with a channel; what it sends comes by the channel"
    )
    func mixing() throws {
        var relay = try TURNScenario()
        let (alice, relayed) = try bound(&relay, 0x4000)
        let peer = try Endpoint(parsing: bob)
        for round: UInt8 in 0..<4 {
            #expect(try relay.sends([round], from: alice, to: bob) == .datagram(from: relayed, to: peer, [round]))
            #expect(try relay.sends([round], from: alice, by: 0x4000) == .datagram(from: relayed, to: peer, [round]))
            #expect(try relay.receives([round], from: bob, at: alice) == .channelData(0x4000, [round]))
        }
    }
}
