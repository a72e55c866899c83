import Locking
import NetPrimitives
import PacketIO
import RelayRuntime
import STUNCore
import TURNRelay
import Testing

@Suite("Allocations over real sockets")
struct AllocationLifeTests {
    @Test("a retransmitted Allocate gets the same relayed address again", arguments: shardCounts)
    func retransmission(workers: Int) async throws {
        try await withRelay(workers: workers) { relay, server in
            let client = try TestClient(of: server)
            let relayed = try client.allocate()
            let again = try client.repeatLastRequest()
            #expect(again.isSuccess)
            #expect(again.relayed == relayed)
            #expect(relay.counters()[.allocationsOpened] <= 1)
        }
    }

    @Test("a refresh to zero closes the relay socket", arguments: shardCounts)
    func refreshToZero(workers: Int) async throws {
        try await withRelay(workers: workers) { relay, server in
            let client = try TestClient(of: server)
            let relayed = try client.allocate()
            #expect(try client.refresh(seconds: 0).isSuccess)
            try await eventually("the port is free") { isFree(relayed) }
            try await eventually("the end is counted") { relay.counters()[.allocationsClosed] == 1 }
            #expect(relay.counters().liveAllocations == 0)
        }
    }

    @Test("an allocation that is not refreshed gives its socket back", arguments: shardCounts)
    func expiry(workers: Int) async throws {
        try await withRelay(
            workers: workers,
            { configuration in
                configuration.limits.defaultLifetimeSeconds = 1
                configuration.limits.maximumLifetimeSeconds = 1
            }
        ) { _, server in
            let client = try TestClient(of: server)
            let relayed = try client.allocate()
            #expect(!isFree(relayed))
            try await eventually("the port is free") { isFree(relayed) }
        }
    }

    @Test("half of the relay ports taken by somebody else means no refusal", arguments: shardCounts)
    func portsTakenByOthers(workers: Int) async throws {
        let ports = randomPorts(count: 60)
        var others: [TestPort] = []
        for port in ports where port % 2 == 0 {
            if let other = try? TestPort(Endpoint(address: loopback, port: port)) { others.append(other) }
        }
        #expect(others.count >= 20)
        try await withRelay(workers: workers, { $0.relayPorts = ports }) { relay, server in
            // Kept until the end: a port of a client that is gone may become another's, and its allocation is still there.
            let clients = try (0..<25).map { _ in try TestClient(of: server) }
            let relayed = Set(try clients.map { try $0.allocate() })
            #expect(relayed.count == 25)
            #expect(relayed.isDisjoint(with: others.map { $0.socket.endpoint }))
            try await eventually("taken ports were met") { relay.counters()[.portsTaken] > 0 }
            #expect(relay.counters()[.capacityRefusals] == 0)
        }
        #expect(!others.isEmpty)
    }

    @Test("out of ports is 508, and a port that comes back is given out again", arguments: shardCounts)
    func exhaustion(workers: Int) async throws {
        try await withRelay(
            workers: workers,
            { $0.relayPorts = $0.relayPorts.lowerBound...($0.relayPorts.lowerBound + 3) }
        ) {
            relay,
            server in
            var clients: [TestClient] = []
            var refusal: Answer?
            for _ in 0..<5 {
                let client = try TestClient(of: server)
                let answer = try client.request(.allocate) { $0.appendRequestedTransport(.udp) }
                if answer.isSuccess { clients.append(client) } else { refusal = answer }
            }
            #expect(refusal?.error == 508)
            let first = try #require(clients.first)
            #expect(try first.refresh(seconds: 0).isSuccess)
            let late = try TestClient(of: server)
            try await eventually("a port came back") {
                try late.request(.allocate) { $0.appendRequestedTransport(.udp) }.isSuccess
            }
            try await eventually("the refusal was counted") { relay.counters()[.capacityRefusals] > 0 }
        }
    }

    @Test("a user over quota is refused with 486, another is not", arguments: shardCounts)
    func quota(workers: Int) async throws {
        try await withRelay(workers: workers, { $0.userQuota = 1 }) { _, server in
            _ = try TestClient(of: server).allocate()
            let second = try TestClient(of: server).request(.allocate) { $0.appendRequestedTransport(.udp) }
            #expect(second.error == 486)
            _ = try TestClient(of: server, username: "bob", password: "builder").allocate()
        }
    }

    @Test("whoever accounts for relay use hears of the allocation's end and of what it relayed", arguments: shardCounts)
    func notices(workers: Int) async throws {
        let heard = Heard()
        try await withRelay(workers: workers, notify: { heard.add($0) }) { _, server in
            let client = try TestClient(of: server)
            let peer = try TestSocket()
            let relayed = try client.allocate()
            try client.bind(0x4000, to: peer.endpoint)
            try client.sendChannelData(0x4000, [1, 2, 3])
            _ = try #require(try peer.receive())
            for _ in 0..<2 {
                try peer.send([1, 2, 3, 4, 5], to: relayed)
                _ = try client.receiveChannelData()
            }
            #expect(try client.refresh(seconds: 0).isSuccess)
            try await eventually("two notices") { heard.all.count == 2 }
            var traffic = RelayTraffic()
            traffic.datagramsToPeers = 1
            traffic.bytesToPeers = 3
            traffic.datagramsToClient = 2
            traffic.bytesToClient = 10
            guard case .allocationOpened(let name, _, _, _, _)? = heard.all.first else {
                throw TestFailure("no opening")
            }
            #expect(
                heard.all == [
                    .allocationOpened(
                        name,
                        username: "alice",
                        client: client.wire.endpoint,
                        relayed: relayed,
                        additional: nil
                    ),
                    .allocationClosed(name, username: "alice", cause: .released, traffic: traffic),
                ]
            )
        }
    }
}

/// Holds a port.
private final class TestPort {
    let socket: UDPSocket

    init(_ endpoint: Endpoint) throws { socket = try UDPSocket(boundTo: endpoint) }
}

/// Collects notices.
final class Heard: Sendable {
    private let notices = Locked<[RelayNotice]>([])

    var all: [RelayNotice] { notices.withLock { $0 } }

    func add(_ notice: RelayNotice) { notices.withLock { $0.append(notice) } }
}
