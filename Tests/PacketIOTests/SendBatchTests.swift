import Glibc
import NetPrimitives
import PacketIO
import Testing

@Suite("Sending")
struct SendBatchTests {
    private static let first = SocketID(slot: 0, generation: 0)
    private static let second = SocketID(slot: 1, generation: 5)

    /// Receives what `bodies` hold into a ring, so that there is something to forward.
    private func filled(
        _ ring: inout PacketRing,
        with bodies: [[UInt8]]
    ) throws -> [ReceivedDatagram] {
        let socket = try UDPSocket(boundTo: UDPSocketTests.loopback)
        var receiver = DatagramReceiver(capacity: 64)
        for body in bodies { try send(body, from: socket, to: socket.endpoint) }
        let (count, _) = receiver.receive(from: socket.descriptor.rawValue, limit: 64, into: &ring)
        return (0..<count).map { receiver.datagram(at: $0) }
    }

    @Test("a payload leaves from where it was received, between its header and its padding")
    func gather() throws {
        let out = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let target = try UDPSocket(boundTo: UDPSocketTests.loopback)
        var ring = PacketRing(slotCount: 4, slotCapacity: 64)
        let datagram = try filled(&ring, with: [Array(0..<10)])[0]
        var batch = SendBatch(capacity: 4, arenaCapacity: 64)
        var header = batch.nextHeader
        header.storeBytes(of: UInt32(0xA1A2_A3A4).bigEndian, toByteOffset: 0, as: UInt32.self)
        batch.append(
            4..<9,
            of: datagram,
            in: ring,
            headerByteCount: 4,
            paddingByteCount: 3,
            from: Self.first,
            descriptor: out.descriptor.rawValue,
            to: target.endpoint
        )
        let slot = ring.address(ofSlot: datagram.slot)
        let payload = try #require(batch.pieces(ofEntry: 0).first { $0.address >= slot && $0.address < slot + 64 })
        #expect(payload.address == slot + 4)
        #expect(payload.count == 5)
        #expect(batch.pieces(ofEntry: 0).map(\.count) == [4, 5, 3])
        let report = batch.flush()
        #expect(report.sent == 1 && report.calls == 1)
        #expect(try received(by: target) == [[0xA1, 0xA2, 0xA3, 0xA4, 4, 5, 6, 7, 8, 0, 0, 0]])
    }

    @Test("a header written in front of a datagram leaves in one piece with it", arguments: [4, 36, 48])
    func headerInPlace(byteCount: Int) throws {
        let out = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let target = try UDPSocket(boundTo: UDPSocketTests.loopback)
        var ring = PacketRing(slotCount: 3, slotCapacity: 64)
        let bodies = (1...3).map { [UInt8](repeating: UInt8($0), count: 64) }
        let datagrams = try filled(&ring, with: bodies)
        var batch = SendBatch(capacity: 3, arenaCapacity: 64)
        for (index, datagram) in datagrams.enumerated() {
            var header = ring.header(before: datagram, byteCount: byteCount)
            for offset in 0..<byteCount {
                header.storeBytes(of: 0xA0 + UInt8(index), toByteOffset: offset, as: UInt8.self)
            }
            batch.append(
                -byteCount..<64,
                of: datagram,
                in: ring,
                headerByteCount: 0,
                paddingByteCount: 0,
                from: Self.first,
                descriptor: out.descriptor.rawValue,
                to: target.endpoint
            )
            let piece = batch.pieces(ofEntry: index)
            #expect(piece.map(\.address) == [ring.address(ofSlot: index) - UInt(byteCount)])
            #expect(piece.map(\.count) == [byteCount + 64])
        }
        #expect(batch.flush().sent == 3)
        let expected = (0..<3).map { [UInt8](repeating: 0xA0 + UInt8($0), count: byteCount) + bodies[$0] }
        #expect(try received(by: target) == expected)
    }

    @Test("every payload piece of a full batch points into its slot of the ring")
    func payloadsStayInTheRing() throws {
        let out = try UDPSocket(boundTo: UDPSocketTests.loopback)
        var ring = PacketRing(slotCount: 32, slotCapacity: 200)
        let datagrams = try filled(&ring, with: (0..<32).map { [UInt8](repeating: 1, count: 20 + $0) })
        var batch = SendBatch(capacity: 32, arenaCapacity: 64)
        for datagram in datagrams {
            batch.append(
                4..<datagram.byteCount,
                of: datagram,
                in: ring,
                headerByteCount: 0,
                paddingByteCount: 0,
                from: Self.first,
                descriptor: out.descriptor.rawValue,
                to: out.endpoint
            )
        }
        for (index, datagram) in datagrams.enumerated() {
            let pieces = batch.pieces(ofEntry: index)
            #expect(pieces.count == 1)
            #expect(pieces[0].address == ring.address(ofSlot: datagram.slot) + 4)
            #expect(pieces[0].count == datagram.byteCount - 4)
        }
        let isFull = batch.isFull
        #expect(isFull)
        #expect(batch.flush().sent == 32)
    }

    @Test("one socket's datagrams leave in order and in one call, whatever came between them")
    func grouping() throws {
        let one = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let two = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let target = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let other = try UDPSocket(boundTo: UDPSocketTests.loopback)
        var batch = SendBatch(capacity: 64, arenaCapacity: 1024)
        for number in UInt8(0)..<20 {
            let isOdd = number % 2 == 1
            let fitted = append(
                [number],
                to: &batch,
                from: isOdd ? Self.second : Self.first,
                descriptor: isOdd ? two.descriptor.rawValue : one.descriptor.rawValue,
                destination: isOdd ? other.endpoint : target.endpoint
            )
            #expect(fitted)
        }
        let report = batch.flush()
        #expect(report.calls == 2)
        #expect(report.sent == 20)
        #expect(try received(by: target) == (0..<10).map { [$0 * 2] })
        #expect(try received(by: other) == (0..<10).map { [$0 * 2 + 1] })
        let isEmpty = batch.isEmpty
        #expect(isEmpty)
    }

    @Test("a datagram that the kernel refuses costs itself only")
    func resumesBehindFailures() throws {
        let out = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let target = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let nowhere = Endpoint(address: target.endpoint.address, port: 0)
        var batch = SendBatch(capacity: 64, arenaCapacity: 1024)
        for number in UInt8(0)..<9 {
            let isRefused = [0, 3, 4, 8].contains(number)
            _ = append(
                [number],
                to: &batch,
                from: Self.first,
                descriptor: out.descriptor.rawValue,
                destination: isRefused ? nowhere : target.endpoint
            )
        }
        let report = batch.flush()
        #expect(report.refused == 4)
        #expect(report.sent == 5)
        #expect(try received(by: target) == [[1], [2], [5], [6], [7]])
    }

    @Test("datagrams in one piece keep their place in the order, and the socket fragments again behind them")
    func whole() throws {
        let out = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let target = try UDPSocket(boundTo: UDPSocketTests.loopback)
        var ring = PacketRing(slotCount: 16, slotCapacity: 64)
        let datagrams = try filled(&ring, with: (0..<9).map { [$0] })
        var batch = SendBatch(capacity: 16, arenaCapacity: 64)
        for (index, datagram) in datagrams.enumerated() {
            batch.append(
                0..<1,
                of: datagram,
                in: ring,
                headerByteCount: 0,
                paddingByteCount: 0,
                from: Self.first,
                descriptor: out.descriptor.rawValue,
                to: target.endpoint,
                dontFragment: [0, 3, 4, 8].contains(index)
            )
        }
        let report = batch.flush()
        #expect(report.sent == 9 && report.tooLarge == 0)
        #expect(report.calls == 5, "a call for each run")
        #expect(try received(by: target) == (0..<9).map { [$0] })
        #expect(fragmentation(of: out) == IP_PMTUDISC_OMIT)
    }

    @Test("a socket's datagrams are fragmented, over IPv4 whatever is believed of the path")
    func fragmenting() throws {
        let four = try UDPSocket(boundTo: UDPSocketTests.loopback)
        #expect(fragmentation(of: four) == IP_PMTUDISC_OMIT)
        let six = try UDPSocket(boundTo: Endpoint(address: IPAddress(ipv6High: 0, low: 1), port: 0))
        #expect(fragmentation(of: six) == IPV6_PMTUDISC_DONT)
    }

    /// What the kernel does with the socket's datagrams that are too large.
    private func fragmentation(of socket: borrowing UDPSocket) -> Int32 {
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        let isIPv4 = socket.endpoint.address.family == .ipv4
        let (level, option) = isIPv4 ? (IPPROTO_IP, IP_MTU_DISCOVER) : (IPPROTO_IPV6, IPV6_MTU_DISCOVER)
        // SAFETY: value and length live through the call and say the truth about each other.
        let result = unsafe getsockopt(socket.descriptor.rawValue, Int32(level), option, &value, &length)
        #expect(result == 0)
        return value
    }

    @Test("a socket that is full costs one call, and what waits behind is dropped and counted")
    func blocked() throws {
        let stream = try UnreadStream()
        var batch = SendBatch(capacity: 64, arenaCapacity: 1 << 22)
        let piece = [UInt8](repeating: 7, count: 60_000)
        var report = SendReport()
        // A stream stands in for a datagram socket here: its buffer fills for certain, and sendmmsg answers the same.
        for _ in 0..<200 where report.blocked == 0 {
            for _ in 0..<64 {
                let fitted = append(
                    piece,
                    to: &batch,
                    from: Self.first,
                    descriptor: stream.writer.rawValue,
                    destination: UDPSocketTests.loopback
                )
                #expect(fitted)
            }
            report = batch.flush()
            #expect(report.sent + report.blocked == 64 && report.refused == 0)
        }
        #expect(report.blocked > 0)
        #expect(report.calls <= 2, "one that was cut short, one that says why")
        let isEmpty = batch.isEmpty
        #expect(isEmpty, "nothing waits for the next flush")
    }

    @Test("a batch that is full says so and loses nothing")
    func full() throws {
        let out = try UDPSocket(boundTo: UDPSocketTests.loopback)
        var batch = SendBatch(capacity: 100, arenaCapacity: 10)
        var fitted = 0
        while append(
            [1, 2, 3, 4],
            to: &batch,
            from: Self.first,
            descriptor: out.descriptor.rawValue,
            destination: out.endpoint
        ) {
            fitted += 1
        }
        #expect(fitted == 2)
        #expect(batch.flush().sent == 2)
    }

    @Test("sockets in high slots are grouped like others once there is room for them")
    func manySlots() throws {
        let out = try UDPSocket(boundTo: UDPSocketTests.loopback)
        var batch = SendBatch(capacity: 8, arenaCapacity: 64)
        batch.prepare(slots: 5000)
        for slot in [UInt32(4999), 3, 4999] {
            _ = append(
                [1],
                to: &batch,
                from: SocketID(slot: slot, generation: 0),
                descriptor: out.descriptor.rawValue,
                destination: out.endpoint
            )
        }
        #expect(batch.flush().calls == 2)
    }
}
