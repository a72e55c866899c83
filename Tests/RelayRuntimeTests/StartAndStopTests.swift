import NetPrimitives
import PacketIO
import RelayRuntime
import STUNCore
import STUNServer
import Testing

@Suite("Starting and stopping the relay")
struct StartAndStopTests {
    @Test("a second instance on the same address fails, names the setting, and takes no client away")
    func secondInstance() async throws {
        try await withRelay(workers: 2) { _, server in
            var configuration = try RelayConfiguration.forTests()
            configuration.port = server.port
            configuration.workers = 2
            let second = RelayService(configuration)
            let failure = #expect(throws: RelayStartFailure.self) { try second.start() }
            #expect(failure == .addressInUse(server))
            #expect(failure?.description.contains("TURN_PORT") == true)
            for _ in 0..<20 { #expect(try TestClient(of: server).request(.binding).isSuccess) }
        }
    }

    @Test("an address that is not this machine's is an error that names TURN_LISTEN")
    func foreignListener() throws {
        let foreign = IPAddress(ipv4: 0xC633_6401)
        let relay = RelayService(try RelayConfiguration.forTests(listen: [foreign]))
        let failure = #expect(throws: RelayStartFailure.self) { try relay.start() }
        #expect(failure == .addressUnavailable(Endpoint(address: foreign, port: 0)))
        #expect(failure?.description.contains("TURN_LISTEN") == true)
    }

    @Test(
        "a realm that would make answers to forged requests too large is an error that names TURN_REALM and its limit"
    )
    func longRealm() throws {
        var configuration = try RelayConfiguration.forTests()
        let realm = String(repeating: "x", count: 29)
        configuration.credentials = CredentialBook(realm: realm, staticUsers: ["alice": "wonderland"])
        let failure = #expect(throws: RelayStartFailure.self) { try RelayService(configuration).start() }
        #expect(failure == .realmTooLong(bytes: 29, limit: 28))
        #expect(failure?.description.contains("TURN_REALM") == true && failure?.description.contains("28") == true)
    }

    @Test("a relay address that is not this machine's is an error that names TURN_RELAY_IP")
    func foreignRelayAddress() throws {
        var configuration = try RelayConfiguration.forTests()
        configuration.relayAddresses = [IPAddress(ipv4: 0xC633_6401)]
        let failure = #expect(throws: RelayStartFailure.self) { try RelayService(configuration).start() }
        #expect(failure == .relayAddressUnavailable(IPAddress(ipv4: 0xC633_6401)))
    }

    @Test("a wildcard binds the interface addresses one by one and answers from the one that was asked")
    func wildcard() async throws {
        try await withRelay(listen: [.unspecified(.ipv4)]) { relay, first in
            #expect(first.address != .unspecified(.ipv4))
            let client = try TestClient(of: first, from: first.address)
            #expect(try client.request(.binding).isSuccess)
        }
    }

    @Test("a relay without allocations stops at once, however long it may drain")
    func stopsWhenEmpty() async throws {
        // An address of its own: a port that was freed on another may be some other test's by the time it is looked at.
        let relay = RelayService(try RelayConfiguration.forTests(listen: [IPAddress(ipv4: 0x7F00_004D)]))
        let server = try relay.start().listeners[0]
        await relay.stop(drainingFor: .seconds(3600))
        try await relay.waitUntilStopped()
        #expect(isFree(server))
    }

    @Test("a draining relay refuses new allocations, serves the old, and ends when the last is gone")
    func drains() async throws {
        let relay = RelayService(try RelayConfiguration.forTests())
        let server = try relay.start().listeners[0]
        let client = try TestClient(of: server)
        let peer = try TestSocket()
        _ = try client.allocate()
        try client.bind(0x4000, to: peer.endpoint)
        let stopping = Task { await relay.stop(drainingFor: .seconds(3600)) }
        let late = try TestClient(of: server)
        try await eventually("new allocations are refused") {
            let answer = try late.request(.allocate) { $0.appendRequestedTransport(.udp) }
            guard answer.isSuccess else { return answer.error == 508 }
            _ = try late.refresh(seconds: 0)
            return false
        }
        try client.sendChannelData(0x4000, [1])
        #expect(try peer.receive()?.bytes == [1])
        #expect(try client.refresh(seconds: 0).isSuccess)
        await stopping.value
        #expect(isFree(server))
    }

    @Test("while a relay drains, every client stays with the shard that knows it")
    func drainsTogether() async throws {
        var configuration = try RelayConfiguration.forTests()
        configuration.workers = 4
        let relay = RelayService(configuration)
        let server = try relay.start().listeners[0]
        var clients: [TestClient] = []
        // One shard is left without an allocation, so that it has nothing of its own to wait for.
        for _ in 0..<24 {
            let client = try TestClient(of: server)
            _ = try client.allocate()
            try await eventually("the allocation is counted") {
                relay.counters().liveAllocations == UInt64(clients.count) + 1
            }
            if relay.countersByShard()[0].liveAllocations == 0 {
                clients.append(client)
            } else {
                #expect(try client.refresh(seconds: 0).isSuccess)
                try await eventually("the release is counted") {
                    relay.counters().liveAllocations == UInt64(clients.count)
                }
            }
        }
        let stopping = Task { await relay.stop(drainingFor: .seconds(3600)) }
        for _ in 0..<8 {
            let late = try TestClient(of: server)
            try await eventually("new allocations are refused") {
                let answer = try late.request(.allocate) { $0.appendRequestedTransport(.udp) }
                guard answer.isSuccess else { return answer.error == 508 }
                _ = try late.refresh(seconds: 0)
                return false
            }
        }
        for client in clients { #expect(try client.refresh(seconds: 600).isSuccess) }
        for client in clients { #expect(try client.refresh(seconds: 0).isSuccess) }
        await stopping.value
        #expect(isFree(server))
    }

    @Test("every one of many listeners answers")
    func manyListeners() async throws {
        let addresses = (1...100).map { IPAddress(ipv4: 0x7F00_0000 + $0) }
        let relay = RelayService(try RelayConfiguration.forTests(listen: addresses))
        // The last one first: a reply has to find room for its socket before any relay made some.
        for server in try relay.start().listeners.reversed() {
            let client = try TestClient(of: server)
            #expect(try client.request(.binding).isSuccess)
            #expect(try client.allocate().address == server.address)
        }
        await relay.stop(drainingFor: .zero)
    }

    @Test("cancelling whoever waits for its end ends the relay, allocations or not")
    func cancellation() async throws {
        let relay = RelayService(try RelayConfiguration.forTests())
        let server = try relay.start().listeners[0]
        _ = try TestClient(of: server).allocate()
        let waiting = Task { try await relay.waitUntilStopped() }
        waiting.cancel()
        try await waiting.value
        #expect(isFree(server))
    }

    @Test("a relay is started once")
    func startedOnce() async throws {
        try await withRelay { relay, _ in
            #expect(throws: RelayStartFailure.alreadyStarted) { try relay.start() }
        }
    }
}
