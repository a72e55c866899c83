import NetPrimitives
import PacketIO
import RelayRuntime
import STUNCore
import TURNRelay
import Testing

@Suite("A flood of nonsense")
struct FloodTests {
    private static let datagrams = 100_000
    private static let sources = 250
    /// Sent between two looks at the counters, so that no receive buffer overflows.
    private static let window = 500

    @Test(
        "100,000 random and mutated datagrams from many addresses open nothing and leave the relay serving",
        arguments: shardCounts
    )
    func flood(workers: Int) async throws {
        let seed = UInt64.random(in: .min ... .max)
        var nonsense = Nonsense(seed: seed)
        try await withRelay(workers: workers, { $0.limits.unauthenticatedRepliesPerSecond = 50 }) { relay, server in
            var sockets: [FloodSocket] = []
            for index in 0..<Self.sources { sockets.append(try FloodSocket(index)) }
            let early = try TestClient(of: server)
            let relayed = try early.allocate()
            let before = relay.counters()[.clientDatagrams]
            var sent: UInt64 = 0
            while sent < Self.datagrams {
                for _ in 0..<Self.window {
                    let socket = sockets[Int(truncatingIfNeeded: nonsense.next() % UInt64(Self.sources))]
                    sent += socket.send(nonsense.datagram(), to: server)
                }
                try await eventually("\(sent) datagrams arrive, seed \(seed)") {
                    relay.counters()[.clientDatagrams] - before >= sent
                }
            }
            let counters = relay.counters()
            #expect(counters.liveAllocations == 1, "seed \(seed)")
            #expect(counters[.malformedMessage] > 0 && counters[.unknownProtocol] > 0, "seed \(seed)")

            let peer = try TestSocket()
            try early.bind(0x4000, to: peer.endpoint)
            try early.sendChannelData(0x4000, [1])
            #expect(try peer.receive()?.source == relayed, "seed \(seed)")
            _ = try TestClient(of: server, username: "bob", password: "builder").allocate()
        }
    }
}

/// A socket on one of the many loopback addresses.
private final class FloodSocket {
    private let socket: UDPSocket
    private var batch = SendBatch(capacity: 1, arenaCapacity: 2048)

    init(_ index: Int) throws {
        let address = IPAddress(ipv4: 0x7F01_0000 + UInt32(index) * 257 + 1)
        socket = try UDPSocket(boundTo: Endpoint(address: address, port: 0))
    }

    /// How many datagrams left: one, unless its own buffer was full.
    func send(_ bytes: [UInt8], to server: Endpoint) -> UInt64 {
        // What comes back stays unread until the kernel throws it away.
        let span = bytes.span
        // SAFETY: every byte of an array of bytes is initialised.
        _ = unsafe batch.append(
            copying: span.bytes,
            from: SocketID(slot: 0, generation: 0),
            descriptor: socket.descriptor.rawValue,
            to: server
        )
        return batch.flush().sent
    }
}

/// From pure noise to requests that are wrong in a single bit.
private struct Nonsense {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }

    private mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

    private mutating func noise(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

    mutating func datagram() -> [UInt8] {
        switch below(5) {
        case 0:
            return noise(below(200))
        case 1:
            return [0x40 | UInt8(below(64)), UInt8(below(256)), UInt8(below(4)), UInt8(below(256))] + noise(below(64))
        case 2:
            return Array(request().prefix(below(60)))
        case 3:
            var bytes = request()
            let bit = below(bytes.count * 8)
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            return bytes
        default:
            return request()
        }
    }

    /// A message with the STUN header and attributes of random kinds, lengths and contents.
    private mutating func request() -> [UInt8] {
        let methods: [UInt16] = [1, 3, 4, 6, 7, 8, 9, 0xFFF]
        let kinds: [UInt16] = [0x06, 0x08, 0x0C, 0x0D, 0x12, 0x13, 0x14, 0x15, 0x16, 0x18, 0x19, 0x20, 0x7FFF, 0x8028]
        var body: [UInt8] = []
        for _ in 0..<below(5) {
            let kind = kinds[below(kinds.count)]
            let length = [0, 4, 8, 8, 20, 32][below(6)]
            body += [UInt8(kind >> 8), UInt8(kind & 0xFF), 0, UInt8(length)] + noise(length)
        }
        let classes: [MessageClass] = [.request, .request, .request, .indication, .success, .error]
        let type = MessageType(MessageMethod(rawValue: methods[below(methods.count)]), classes[below(6)]).rawValue
        let head: [UInt8] = [UInt8(type >> 8), UInt8(type & 0xFF), UInt8(body.count >> 8), UInt8(body.count & 0xFF)]
        return head + [0x21, 0x12, 0xA4, 0x42] + noise(12) + body
    }
}
