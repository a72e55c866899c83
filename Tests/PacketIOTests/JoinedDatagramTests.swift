import CPacketIO
import Glibc
import NetPrimitives
import PacketIO
import Testing

/// Datagrams that the kernel cuts out of one message and joins into one. Loopback hands a message over as it was sent, so
/// that what is cut on one side comes joined on the other, if that asked for it.
@Suite("Joined datagrams")
struct JoinedDatagramTests {
    private static let from = SocketID(slot: 0, generation: 0)

    private func joining() throws -> UDPSocket {
        try UDPSocket(boundTo: UDPSocketTests.loopback, options: UDPSocketOptions(joinsDatagrams: true))
    }

    /// A batch of copied datagrams of these sizes, the `index`th full of its number, to the given places in turn.
    private func batch(_ sizes: [Int], from out: borrowing UDPSocket, to places: [Endpoint]) throws -> SendBatch {
        var batch = SendBatch(capacity: sizes.count, arenaCapacity: 1 << 20)
        for (index, size) in sizes.enumerated() {
            let fits = append(
                [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: size),
                to: &batch,
                from: Self.from,
                descriptor: out.descriptor.rawValue,
                destination: places[index % places.count]
            )
            try #require(fits)
        }
        return batch
    }

    @Test("datagrams of one size to one place are one message, and come apart again in order")
    func oneMessage() throws {
        let out = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let target = try joining()
        var batch = try batch([Int](repeating: 1200, count: 7) + [300], from: out, to: [target.endpoint])
        let report = batch.flush()
        #expect(report.sent == 8 && report.calls == 1)

        var ring = PacketRing(slotCount: 4, slotCapacity: 65_536)
        var receiver = DatagramReceiver(capacity: 4)
        let (count, isFilled) = receiver.receive(from: target.descriptor.rawValue, limit: 4, into: &ring)
        #expect(count == 8 && !isFilled)
        // All in one slot: the kernel was asked once and answered with one message.
        #expect(ring.free == 3)
        for index in 0..<count {
            let datagram = receiver.datagram(at: index)
            #expect(datagram.offset == index * 1200)
            #expect(datagram.source == out.endpoint)
            let expected = [UInt8](repeating: UInt8(index), count: index == 7 ? 300 : 1200)
            #expect(contents(of: datagram, in: ring) == expected)
        }
    }

    @Test("the payloads of a joined message are sent from where they lie in its slot")
    func payloadsStayInTheRing() throws {
        let out = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let relay = try joining()
        let target = try joining()
        var arriving = try batch([100, 100, 100, 60], from: out, to: [relay.endpoint])
        #expect(arriving.flush().sent == 4)
        var ring = PacketRing(slotCount: 2, slotCapacity: 65_536)
        var receiver = DatagramReceiver(capacity: 2)
        let (count, _) = receiver.receive(from: relay.descriptor.rawValue, limit: 2, into: &ring)
        try #require(count == 4)
        var leaving = SendBatch(capacity: 4, arenaCapacity: 64)
        for index in 0..<count {
            let datagram = receiver.datagram(at: index)
            leaving.append(
                4..<datagram.byteCount,
                of: datagram,
                in: ring,
                headerByteCount: 0,
                paddingByteCount: 0,
                from: Self.from,
                descriptor: relay.descriptor.rawValue,
                to: target.endpoint
            )
            let pieces = leaving.pieces(ofEntry: index)
            #expect(pieces.map(\.address) == [ring.address(ofSlot: datagram.slot) + UInt(datagram.offset + 4)])
            #expect(pieces.map(\.count) == [datagram.byteCount - 4])
        }
        let report = leaving.flush()
        #expect(report.sent == 4 && report.calls == 1)
        let expected = (0..<4).map { [UInt8](repeating: UInt8($0), count: $0 == 3 ? 56 : 96) }
        var copyRing = PacketRing(slotCount: 2, slotCapacity: 65_536)
        let (copies, _) = receiver.receive(from: target.descriptor.rawValue, limit: 2, into: &copyRing)
        let arrived = (0..<copies).map { contents(of: receiver.datagram(at: $0), in: copyRing) }
        #expect(arrived == expected)
    }

    @Test("a socket that does not ask for it receives every datagram by itself")
    func apart() throws {
        let out = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let target = try UDPSocket(boundTo: UDPSocketTests.loopback)
        var batch = try batch([Int](repeating: 100, count: 10), from: out, to: [target.endpoint])
        #expect(batch.flush().sent == 10)
        let arrived = try received(by: target)
        #expect(arrived == (0..<10).map { [UInt8](repeating: UInt8($0), count: 100) })
    }

    @Test("a socket that comes to ask for it has the next ones joined")
    func later() throws {
        let out = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let target = try UDPSocket(boundTo: UDPSocketTests.loopback)
        var ring = PacketRing(slotCount: 8, slotCapacity: 65_536)
        var receiver = DatagramReceiver(capacity: 8)
        var early = try batch([100, 100, 100], from: out, to: [target.endpoint])
        #expect(early.flush().sent == 3)
        UDPSocket.joinDatagrams(at: target.descriptor.rawValue)
        var late = try batch([100, 100, 100], from: out, to: [target.endpoint])
        #expect(late.flush().sent == 3)
        let (count, _) = receiver.receive(from: target.descriptor.rawValue, limit: 8, into: &ring)
        #expect((0..<count).map { receiver.datagram(at: $0).slot } == [0, 1, 2, 3, 3, 3])
        let arrived = (0..<count).map { contents(of: receiver.datagram(at: $0), in: ring) }
        #expect(arrived == (0..<6).map { [UInt8](repeating: UInt8($0 % 3), count: 100) })
    }

    @Test("a longer datagram, an empty one or another place begins a new message, and the order stays")
    func boundaries() throws {
        let out = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let target = try joining()
        let sizes = [100, 100, 200, 50, 50, 0, 100, 0, 0, 60, 60, 60]
        var batch = try batch(sizes, from: out, to: [target.endpoint])
        #expect(batch.flush().sent == UInt64(sizes.count))
        var ring = PacketRing(slotCount: 16, slotCapacity: 65_536)
        var receiver = DatagramReceiver(capacity: 16)
        let (count, _) = receiver.receive(from: target.descriptor.rawValue, limit: 16, into: &ring)
        #expect((0..<count).map { receiver.datagram(at: $0).byteCount } == sizes)
        // 100 100 | 200 50 | 50 | 0 | 100 | 0 | 0 | 60 60 60
        #expect(16 - ring.free == 8)

        let other = try joining()
        var mixed = try self.batch([80, 80, 80, 80], from: out, to: [target.endpoint, other.endpoint])
        #expect(mixed.flush().sent == 4)
        #expect(try received(by: other) == [[UInt8](repeating: 1, count: 80), [UInt8](repeating: 3, count: 80)])
    }

    @Test("more datagrams than one message may have take several")
    func many() throws {
        let out = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let target = try UDPSocket(
            boundTo: UDPSocketTests.loopback,
            options: UDPSocketOptions(receiveBufferBytes: 1 << 20, joinsDatagrams: true)
        )
        var batch = try batch([Int](repeating: 40, count: 150), from: out, to: [target.endpoint])
        #expect(batch.flush().sent == 150)
        var ring = PacketRing(slotCount: 16, slotCapacity: 65_536)
        var receiver = DatagramReceiver(capacity: 16)
        let (count, _) = receiver.receive(from: target.descriptor.rawValue, limit: 16, into: &ring)
        #expect(count == 150)
        #expect(16 - ring.free == 3)
        let numbers = (0..<count).map { contents(of: receiver.datagram(at: $0), in: ring)[0] }
        #expect(numbers == (0..<150).map { UInt8($0) })
    }

    @Test("what the kernel will not cut leaves one by one, and costs nothing but that")
    func fallback() throws {
        let out = try UDPSocket(boundTo: UDPSocketTests.loopback)
        // A socket without checksums cannot have its messages cut (EINVAL).
        let isSet = packet_set_option(out.descriptor.rawValue, SOL_SOCKET, SO_NO_CHECK, 1).error == 0
        try #require(isSet)
        let target = try joining()
        var batch = try batch([500, 500, 500, 20, 900], from: out, to: [target.endpoint])
        let report = batch.flush()
        #expect(report.sent == 5 && report.refused == 0)
        #expect(try received(by: target).map(\.count) == [500, 500, 500, 20, 900])
    }

    @Test("a joined message of datagrams larger than the limit is none too large")
    func limit() throws {
        let out = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let target = try joining()
        var batch = try batch([1000, 1000, 1000], from: out, to: [target.endpoint])
        #expect(batch.flush().sent == 3)
        try send([UInt8](repeating: 7, count: 2001), from: out, to: target.endpoint)
        var ring = PacketRing(slotCount: 4, slotCapacity: 65_536)
        var receiver = DatagramReceiver(capacity: 4, datagramLimit: 2000)
        let (count, _) = receiver.receive(from: target.descriptor.rawValue, limit: 4, into: &ring)
        #expect((0..<count).map { receiver.datagram(at: $0).byteCount } == [1000, 1000, 1000])
        #expect(receiver.takeTruncatedCount() == 1)
    }
}
