import NetPrimitives
import PacketIO
import STUNCore
import TURNRelay
import Testing

@testable import RelayRuntime

/// Raw sockets need CAP_NET_RAW; without it the relay hears no ICMP, and neither can these tests.
private var hasRawSockets: Bool { (try? ICMPSocket(.ipv4, receiveBufferBytes: 4096)) != nil }

@Suite("ICMP errors, on sockets")
struct ICMPTests {
    @Test(
        "a client hears that its peer's port is closed, whichever shard it is on",
        .enabled(if: hasRawSockets, "needs CAP_NET_RAW"),
        arguments: [IPAddress(ipv4: 0x7F00_0001), IPAddress(ipv6High: 0, low: 1)]
    )
    func portUnreachable(address: IPAddress) async throws {
        try await withRelay(workers: 3, listen: [address]) { relay, server in
            for _ in 0..<8 {
                let client = try TestClient(of: server, from: address)
                _ = try client.allocate(address.family)
                let closed = try TestSocket(address).endpoint
                try client.permit(closed)
                try client.sendIndication([1], to: closed)
                let (bytes, _) = try #require(try client.wire.receive())
                let message = try MessageView(parsing: bytes.span.rawBytes)
                #expect(message.type == MessageType(.data, .indication))
                #expect(message.xorAddress(.xorPeerAddress) == closed)
                let isIPv4 = address.family == .ipv4
                #expect(message.icmp == (isIPv4 ? ICMPAttribute(type: 3, code: 3) : ICMPAttribute(type: 1, code: 4)))
                let hasData = message.contains(.data)
                #expect(!hasData)
            }
            // Counts are published behind the flush that the clients have seen.
            try await eventually("all are counted") { relay.counters()[.icmpPassedOn] == 8 }
            #expect(relay.countersByShard().map { $0[.icmpErrors] }.filter { $0 > 0 }.count == 1, "one shard hears all")
        }
    }

    @Test("what the mailbox of a busy shard has no room for is refused, and there is room again behind it")
    func mailbox() throws {
        let mailbox = try Mailbox()
        let endpoint = Endpoint(address: IPAddress(ipv4: 1), port: 1)
        let error = ICMPError(source: endpoint, peer: endpoint, type: 3, code: 3)
        let notice = ICMPNotice(error: error, socket: SocketID(slot: 1, generation: 1))
        for _ in 0..<Mailbox.icmpLimit { #expect(mailbox.leave(notice)) }
        #expect(!mailbox.leave(notice))
        #expect(mailbox.collect().icmp.count == Mailbox.icmpLimit)
        #expect(mailbox.leave(notice))
    }

    @Test("the directory forgets a relay socket when it closes")
    func directory() {
        let directory = RelayDirectory()
        let endpoint = Endpoint(address: IPAddress(ipv4: 1), port: 1)
        let place = RelayDirectory.Place(shard: 2, socket: SocketID(slot: 7, generation: 3))
        directory.enter(endpoint, at: place)
        #expect(directory.place(of: endpoint) == place)
        directory.remove(endpoint)
        #expect(directory.place(of: endpoint) == nil)
    }

    @Test("identifiers of ICMP sources are neither the bell's nor any table's")
    func identifiers() {
        #expect(!ICMPSource.isIdentifier(RelayShard.bell))
        for index in 0..<2 { #expect(ICMPSource.isIdentifier(ICMPSource.identifier(index))) }
        #expect(!ICMPSource.isIdentifier(SocketID(slot: 1 << 24, generation: 0)))
    }
}
