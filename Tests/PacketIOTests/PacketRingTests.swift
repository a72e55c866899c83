import NetPrimitives
import PacketIO
import Testing

@Suite("Receiving")
struct PacketRingTests {
    @Test("a batch of datagrams arrives in order, with sender and content, in one call")
    func order() throws {
        let socket = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let sender = try UDPSocket(boundTo: UDPSocketTests.loopback)
        var ring = PacketRing(slotCount: 16, slotCapacity: 100)
        var receiver = DatagramReceiver(capacity: 8)
        for number in UInt8(0)..<10 {
            try send([UInt8](repeating: number, count: Int(number)), from: sender, to: socket.endpoint)
        }
        let (count, isFilled) = receiver.receive(from: socket.descriptor.rawValue, limit: 8, into: &ring)
        #expect(count == 8 && isFilled)
        #expect(ring.free == 8)
        for index in 0..<count {
            let datagram = receiver.datagram(at: index)
            #expect(datagram.source == sender.endpoint)
            #expect(contents(of: datagram, in: ring) == [UInt8](repeating: UInt8(index), count: index))
        }
        let rest = receiver.receive(from: socket.descriptor.rawValue, limit: 8, into: &ring)
        #expect(rest.count == 2 && !rest.filled)
        #expect(receiver.receive(from: socket.descriptor.rawValue, limit: 8, into: &ring).count == 0)
    }

    @Test("a datagram larger than a slot is dropped and counted, its neighbours are not")
    func truncation() throws {
        let socket = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let sender = try UDPSocket(boundTo: UDPSocketTests.loopback)
        var ring = PacketRing(slotCount: 8, slotCapacity: 64)
        var receiver = DatagramReceiver(capacity: 8)
        for size in [64, 65, 63, 1000] {
            try send([UInt8](repeating: 9, count: size), from: sender, to: socket.endpoint)
        }
        let (count, _) = receiver.receive(from: socket.descriptor.rawValue, limit: 8, into: &ring)
        #expect((0..<count).map { receiver.datagram(at: $0).byteCount } == [64, 63])
        #expect(receiver.takeTruncatedCount() == 2)
        #expect(receiver.takeTruncatedCount() == 0)
    }

    @Test("datagrams are read one by one, with sender and content, and an oversized one is dropped and counted")
    func single() throws {
        let socket = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let sender = try UDPSocket(boundTo: UDPSocketTests.loopback)
        var ring = PacketRing(slotCount: 4, slotCapacity: 64)
        var receiver = DatagramReceiver(capacity: 1, datagramLimit: 62)
        for size in [64, 65, 63, 62] {
            try send([UInt8](repeating: UInt8(size), count: size), from: sender, to: socket.endpoint)
        }
        for size in [64, 65, 63] {
            let (count, isFilled) = receiver.receiveOne(from: socket.descriptor.rawValue, into: &ring)
            #expect(count == 0 && isFilled, "\(size) bytes")
        }
        let (count, isFilled) = receiver.receiveOne(from: socket.descriptor.rawValue, into: &ring)
        try #require(count == 1 && isFilled)
        #expect(receiver.datagram(at: 0).source == sender.endpoint)
        #expect(contents(of: receiver.datagram(at: 0), in: ring) == [UInt8](repeating: 62, count: 62))
        #expect(receiver.takeTruncatedCount() == 3)
        // A full ring has nothing read into it; an empty queue is no datagram.
        try send([1], from: sender, to: socket.endpoint)
        #expect(receiver.receiveOne(from: socket.descriptor.rawValue, into: &ring) == (0, true))
        ring.reuse(after: SendBatch(capacity: 1, arenaCapacity: 64))
        #expect(receiver.receiveOne(from: socket.descriptor.rawValue, into: &ring) == (1, true))
        #expect(receiver.receiveOne(from: socket.descriptor.rawValue, into: &ring) == (0, false))
    }

    @Test("a full ring takes nothing in, and everything again once it is taken back")
    func fullRing() throws {
        let socket = try UDPSocket(boundTo: UDPSocketTests.loopback)
        var ring = PacketRing(slotCount: 2, slotCapacity: 64)
        var receiver = DatagramReceiver(capacity: 8)
        let batch = SendBatch(capacity: 1, arenaCapacity: 64)
        for _ in 0..<3 { try send([1], from: socket, to: socket.endpoint) }
        #expect(receiver.receive(from: socket.descriptor.rawValue, limit: 8, into: &ring).count == 2)
        #expect(receiver.receive(from: socket.descriptor.rawValue, limit: 8, into: &ring).count == 0)
        ring.reuse(after: batch)
        #expect(receiver.receive(from: socket.descriptor.rawValue, limit: 8, into: &ring).count == 1)
    }

    @Test("slots do not overlap, and their pitch is no power of two", arguments: [1, 64, 100, 2048, 16384])
    func pitch(capacity: Int) throws {
        let ring = PacketRing(slotCount: 3, slotCapacity: capacity)
        let starts = (0..<3).map { ring.address(ofSlot: $0) }
        let pitch = starts[1] - starts[0]
        #expect(starts[2] - starts[1] == pitch)
        #expect(Int(pitch) >= capacity)
        #expect(pitch % 64 == 0 && (pitch / 64) % 2 == 1)
        // A header of 48 bytes and the beginning of what it is for are in one line.
        #expect(starts[0] % 64 == 48)
    }
}
