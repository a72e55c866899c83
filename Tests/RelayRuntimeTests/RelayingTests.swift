import NetPrimitives
import PacketIO
import RelayRuntime
import STUNCore
import TURNRelay
import Testing

@Suite("Relaying over real sockets")
struct RelayingTests {
    @Test("a Binding request is answered with the sender's address", arguments: shardCounts)
    func binding(workers: Int) async throws {
        try await withRelay(workers: workers) { _, server in
            let client = try TestClient(of: server)
            let answer = try client.request(.binding)
            #expect(answer.isSuccess)
            #expect(answer.mapped == client.wire.endpoint)
        }
    }

    @Test(
        "an allocation is bound on the address that was reached, and its port answers to nobody without permission",
        arguments: shardCounts
    )
    func allocation(workers: Int) async throws {
        try await withRelay(workers: workers) { relay, server in
            let client = try TestClient(of: server)
            let relayed = try client.allocate()
            #expect(relayed.address == server.address)
            #expect(!isFree(relayed))
            let stranger = try TestSocket()
            try stranger.send([1, 2, 3], to: relayed)
            try await eventually("the drop is counted") { relay.counters()[.noPermission] == 1 }
            #expect(try client.wire.receive(within: 0) == nil)
        }
    }

    @Test(
        "payloads pass through a channel in both directions, untouched, of every size",
        arguments: [0, 1, 3, 160, 1200],
        shardCounts
    )
    func channel(size: Int, workers: Int) async throws {
        try await withRelay(workers: workers) { _, server in
            let client = try TestClient(of: server)
            let peer = try TestSocket()
            let relayed = try client.allocate()
            try client.bind(0x4000, to: peer.endpoint)
            let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }

            try client.sendChannelData(0x4000, payload)
            let up = try #require(try peer.receive())
            #expect(up.bytes == payload)
            #expect(up.source == relayed)

            try peer.send(payload, to: relayed)
            let down = try client.receiveChannelData()
            #expect(down.channel == 0x4000)
            #expect(down.payload == payload)
        }
    }

    @Test(
        "payloads pass in Send and Data indications, untouched, of every padding",
        arguments: [0, 1, 2, 3, 4, 1199],
        shardCounts
    )
    func indications(size: Int, workers: Int) async throws {
        try await withRelay(workers: workers) { _, server in
            let client = try TestClient(of: server)
            let peer = try TestSocket()
            let relayed = try client.allocate()
            try client.permit(peer.endpoint)
            let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 13) }

            try client.sendIndication(payload, to: peer.endpoint)
            let up = try #require(try peer.receive())
            #expect(up.bytes == payload)
            #expect(up.source == relayed)

            try peer.send(payload, to: relayed)
            let down = try client.receiveIndication()
            #expect(down.peer == peer.endpoint)
            #expect(down.payload == payload)
        }
    }

    @Test("two clients of one server reach each other through both their relays", arguments: shardCounts)
    func clientToClient(workers: Int) async throws {
        try await withRelay(workers: workers) { _, server in
            let alice = try TestClient(of: server)
            let bob = try TestClient(of: server, username: "bob", password: "builder")
            let (aliceRelay, bobRelay) = (try alice.allocate(), try bob.allocate())
            try alice.bind(0x4001, to: bobRelay)
            try bob.permit(aliceRelay)
            try alice.sendChannelData(0x4001, [1, 2, 3])
            let heard = try bob.receiveIndication()
            #expect(heard.peer == aliceRelay)
            #expect(heard.payload == [1, 2, 3])
            try bob.sendIndication([4, 5], to: aliceRelay)
            #expect(try alice.receiveChannelData().payload == [4, 5])
        }
    }

    @Test("a burst keeps its order and loses nothing, in few system calls", arguments: shardCounts)
    func burst(workers: Int) async throws {
        try await withRelay(workers: workers) { relay, server in
            let client = try TestClient(of: server)
            let peer = try TestSocket()
            let relayed = try client.allocate()
            try client.bind(0x4000, to: peer.endpoint)
            for number in 0..<200 { try client.sendChannelData(0x4000, [UInt8(number)]) }
            for number in 0..<200 { #expect(try #require(try peer.receive()).bytes == [UInt8(number)]) }
            for number in 0..<200 { try peer.send([UInt8(number)], to: relayed) }
            for number in 0..<200 { #expect(try client.receiveChannelData().payload == [UInt8(number)]) }
            // Counts are published behind the flush that the client has seen.
            try await eventually("all are counted") { relay.counters()[.bytesToClients] == 200 }
            let counters = relay.counters()
            #expect(counters[.datagramsToPeers] == 200 && counters[.bytesToPeers] == 200)
            #expect(counters[.datagramsToClients] == 200)
            #expect(counters[.sendRefused] == 0 && counters[.sendBlocked] == 0)
        }
    }

    @Test("two shards share the clients, and each client is served whole by one of them")
    func twoShards() async throws {
        try await withRelay(workers: 2) { relay, server in
            let peer = try TestSocket()
            var clients: [(TestClient, Endpoint)] = []
            for _ in 0..<40 {
                let client = try TestClient(of: server)
                let relayed = try client.allocate()
                try client.bind(0x4000, to: peer.endpoint)
                clients.append((client, relayed))
            }
            #expect(Set(clients.map(\.1)).count == 40)
            for (client, relayed) in clients {
                try client.sendChannelData(0x4000, [7])
                #expect(try #require(try peer.receive()).source == relayed)
                try peer.send([8], to: relayed)
                #expect(try client.receiveChannelData().payload == [8])
            }
            try await eventually("both shards have allocations") {
                relay.countersByShard().allSatisfy { $0.liveAllocations > 0 }
            }
            #expect(relay.counters().liveAllocations == 40)
        }
    }

    @Test("over IPv6 a Binding is answered and a relay is given on the IPv4 address", arguments: shardCounts)
    func listeningOnIPv6(workers: Int) async throws {
        let six = IPAddress(ipv6High: 0, low: 1)
        guard try NetworkInterfaces.addresses().contains(where: { $0.address == six }) else { return }
        try await withRelay(workers: workers, listen: [six, loopback]) { _, server in
            #expect(server.address == six)
            let client = try TestClient(of: server, from: six)
            #expect(try client.request(.binding).mapped == client.wire.endpoint)
            let relayed = try client.allocate()
            #expect(relayed.address == loopback)
        }
    }

    @Test(
        "relay sockets bind where TURN_RELAY_IP says, and clients are told what TURN_EXTERNAL_IP says",
        arguments: shardCounts
    )
    func relayAndExternalAddress(workers: Int) async throws {
        let relayAddress = IPAddress(ipv4: 0x7F00_0002)
        let external = IPAddress(ipv4: 0xC633_6407)
        try await withRelay(
            workers: workers,
            { configuration in
                configuration.relayAddresses = [relayAddress]
                configuration.externalAddresses = [external]
            }
        ) { _, server in
            let client = try TestClient(of: server)
            let relayed = try client.allocate()
            #expect(relayed.address == external)
            #expect(!isFree(Endpoint(address: relayAddress, port: relayed.port)))
        }
    }
}
