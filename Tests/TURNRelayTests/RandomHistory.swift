import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@testable import TURNRelay

/// A scenario driven by a seed: few clients, peers and channel numbers, so that everything meets everything.
struct RandomHistory: ~Copyable {
    var relay: TURNScenario
    var random: SeededGenerator
    let clients: [Client]
    let peers: [Endpoint]
    private var relaySockets: [SocketID] = []
    /// Reservation tokens that clients were told of, some of them used or ended.
    private var tokens: [ReservationToken] = []

    init(seed: UInt64) throws {
        let relay = try TURNScenario(seed: seed, ports: 50_000...50_019, quota: 5) { configuration in
            configuration.relays.ipv6 = RelayAddress(bound: IPAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 1))
            let nat = RelayAddress(bound: IPAddress(ipv4: 0xC000_0201), external: IPAddress(ipv4: 0xC000_02C8))
            configuration.relays.ipv4 = nat
            configuration.peers = try PeerPolicy(
                allowed: ["203.0.113.0/24", "2001:db8::/32"].map { try IPPrefix(parsing: $0) },
                ownServices: [Endpoint(parsing: "203.0.113.1:1001")],
                ownRelays: [nat]
            )
            configuration.limits.permissionsPerAllocation = 4
            configuration.limits.channelsPerAllocation = 3
            configuration.limits.allocationsPerShard = 6
            configuration.limits.unauthenticatedRepliesPerSecond = 0
        }
        var clients: [Client] = []
        for port in 40_000..<40_006 {
            clients.append(try relay.client("198.51.100.7:\(port)", user: port % 2 == 0 ? "alice" : "bob"))
        }
        for port in 40_000..<40_002 { clients.append(try relay.client("[2001:db8::7]:\(port)", user: "alice")) }
        // The same place with another credential.
        clients.append(try relay.client("198.51.100.7:40000", user: "bob"))
        let peers = try [
            "203.0.113.1:1000", "203.0.113.1:1001", "203.0.113.2:1000", "203.0.113.3:9", "10.0.0.1:1",
            "[2001:db8::5]:1000", "[2001:db8::5]:1001", "[2001:db8::6]:7", "[::ffff:10.0.0.1]:5", "203.0.113.4:0",
            "192.0.2.200:50000", "192.0.2.200:50001", "192.0.2.200:50002", "192.0.2.200:3478", "192.0.2.1:50000",
            "192.0.2.1:50001", "192.0.2.1:50002", "192.0.2.1:3478",
        ].map { try Endpoint(parsing: $0) }
        self.relay = relay
        self.clients = clients
        self.peers = peers
        random = SeededGenerator(seed: seed)
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }

    private static let numbers: [UInt16] = [0x4000, 0x4001, 0x4002, 0x4003, 0x4FFF, 0x3FFF, 0x5000]

    mutating func number() -> UInt16 { pick(Self.numbers) }

    /// One step: a request, the passage of time or a sweep.
    mutating func step() throws {
        let client = pick(clients)
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<4: try request(.allocate, client)
        case 4..<6: try request(.refresh, client)
        case 6..<10: try request(.createPermission, client)
        case 10..<14: try request(.channelBind, client)
        case 14..<17: relay.advance(bySeconds: pick([0, 1, 1, 30, 60, 100, 299, 300, 301, 600]))
        case 17: relay.sweep(limit: pick([1, 2, 100]))
        default: try repeatAllocate(client)
        }
        _ = relay.takeSent()
        _ = relay.takeEvents()
        for socket in relay.leases.keys where !relaySockets.contains(socket) { relaySockets.append(socket) }
        relaySockets = Array(relaySockets.sorted { $0.slot < $1.slot }.suffix(12))
    }

    /// Asks of everything that could be sent whether the packet path and the slow reference agree.
    mutating func probe(_ context: String) {
        for client in clients {
            for number in Self.numbers { compare(channelData([6, 7, 8], number), from: client.flow, context) }
            for peer in peers { compare(sendIndication([1, 2, 3], to: peer), from: client.flow, context) }
            for _ in 0..<4 { compare(oddIndication(), from: client.flow, context) }
        }
        let sizes = [0, 1, 1200, 65_470, 65_507]
        for socket in relaySockets {
            for (index, peer) in peers.enumerated() {
                let size = sizes[(Int(socket.slot) + index) % sizes.count]
                let verdict = relay.shard.routePeer(byteCount: size, from: peer, on: socket, now: relay.now)
                let reference = relay.shard.referencePeer(size, from: peer, on: socket, now: relay.now)
                #expect(verdict == reference, "\(context), \(peer), \(socket)")
            }
        }
    }

    private mutating func compare(_ bytes: [UInt8], from flow: Flow, _ context: String) {
        let verdict = relay.shard.route(bytes.span.rawBytes, from: flow, now: relay.now).withoutFault
        let reference = relay.shard.referenceRoute(bytes, from: flow, now: relay.now).withoutFault
        #expect(verdict == reference, "\(context), \(flow.client), \(bytes)")
    }

    /// A Send indication with attributes in any order, doubled, missing, misplaced or damaged.
    private mutating func oddIndication() -> [UInt8] {
        var parts: [(AttributeType, [UInt8])] = []
        var targets: [Endpoint] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let type = AttributeType(
                rawValue: pick([0x12, 0x12, 0x12, 0x13, 0x13, 0x13, 0x08, 0x1C, 0x8028, 0x8022, 0x1A])
            )
            parts.append((type, (0..<Int.random(in: 0...5, using: &random)).map { _ in random.byte() }))
            targets.append(pick(peers))
        }
        let bytes = stunMessage(MessageType(.send, .indication)) { builder in
            for ((type, value), target) in zip(parts, targets) {
                if type == .xorPeerAddress {
                    builder.appendXORAddress(type, target)
                } else {
                    builder.append(type, value.span.rawBytes)
                }
            }
        }
        return random.byte() < 64 ? mutated(bytes) : bytes
    }

    /// Changes a few bytes, or the length.
    mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        switch Int.random(in: 0..<8, using: &random) {
        case 0: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
        case 1: for _ in 0..<Int.random(in: 1...8, using: &random) { bytes.append(random.byte()) }
        default: break
        }
        guard !bytes.isEmpty else { return bytes }
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = random.byte()
        }
        return bytes
    }

    mutating func requestBytes(_ method: MessageMethod, _ client: Client) -> [UInt8] {
        let peerCount = method == .createPermission ? Int.random(in: 0...3, using: &random) : 1
        let targets = (0..<peerCount).map { _ in pick(peers) }
        let channel = number()
        let lifetime: UInt32? = pick([nil, 0, 0, 1, 700, 3600])
        let kind = method == .allocate ? Int.random(in: 0..<8, using: &random) : 0
        let isDual = kind >= 5
        // Now and then what must not stand together does.
        let family: IPAddress.Family? = isDual && random.byte() < 240 ? nil : pick([nil, nil, .ipv4, .ipv6])
        let evenPort: EvenPort? =
            (2...4).contains(kind) ? EvenPort(reservesNextPort: kind != 2 || random.byte() < 16) : nil
        let token = kind == 1 ? tokens.randomElement(using: &random) : nil
        return relay.requestBytes(method, from: client) { builder in
            if method == .allocate { builder.appendRequestedTransport(.udp) }
            if method == .allocate || method == .refresh {
                if let lifetime { builder.appendLifetime(seconds: lifetime) }
                if let family { builder.appendRequestedAddressFamily(family) }
                if let evenPort { builder.appendEvenPort(evenPort) }
                if isDual { builder.appendAdditionalAddressFamily(.ipv6) }
                if let token { builder.appendReservationToken(token) }
            } else {
                if method == .channelBind { builder.appendChannelNumber(channel) }
                for target in targets { builder.appendXORAddress(.xorPeerAddress, target) }
            }
        }
    }

    private mutating func request(_ method: MessageMethod, _ client: Client) throws {
        let bytes = requestBytes(method, client)
        relay.deliver(bytes, from: client.flow)
        let sent = relay.takeSent()
        #expect(sent.count == 1, "a request that proves who sends it gets one answer")
        if let bytes = sent.first?.bytes, let token = try Reply(bytes, for: client).token { tokens.append(token) }
    }

    private mutating func repeatAllocate(_ client: Client) throws {
        let bytes = relay.allocateBytes(client)
        relay.deliver(bytes, from: client.flow)
        let first = relay.takeSent()
        relay.deliver(bytes, from: client.flow)
        let second = relay.takeSent()
        if try Reply(try #require(first.first).bytes, for: client).isSuccess { #expect(first == second) }
    }
}

extension SeededGenerator {
    mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: next()) }
}
