import NetPrimitives
import STUNCore
import STUNServer
import Synchronization
import TURNRelay
import Testing

@testable import RelayRuntime

@Suite("Calls that are over, over real sockets")
struct EndedCallTests {
    private static let secret = SharedSecret("a secret")
    private static let expiry: UInt64 = 4_000_000_000

    private func calls(_ configuration: inout RelayConfiguration) {
        configuration.credentials = CredentialBook(realm: "tests", sharedSecrets: [Self.secret])
    }

    private func client(of server: Endpoint, user: String, call: String) throws -> TestClient {
        let tag = RelayUserTag(userID: user, secret: Self.secret)
        let credential = TimeLimitedCredential.mint(secret: Self.secret, expiry: Self.expiry, tag: tag, callID: call)
        return try TestClient(of: server, username: credential.username, password: credential.password)
    }

    private func allocateError(_ client: TestClient) throws -> UInt16? {
        try client.request(.allocate) { $0.appendRequestedTransport(.udp) }.error
    }

    @Test("the end of a call ends its allocations in every shard, tells of their traffic, and refuses its credentials")
    func ends() async throws {
        let heard = Heard()
        try await withRelay(workers: 3, calls, notify: { heard.add($0) }) { relay, server in
            let peer = try TestSocket()
            let ended = try (0..<12).map { try client(of: server, user: "@user\($0 % 2)", call: "one") }
            let other = try client(of: server, user: "@user0", call: "two")
            for client in ended + [other] {
                _ = try client.allocate()
                try client.bind(0x4000, to: peer.endpoint)
                try client.sendChannelData(0x4000, [1, 2, 3])
                _ = try #require(try peer.receive())
            }
            #expect(relay.endAllocations(ofCall: EndedCall(callID: "one", credentialSeconds: 3600)))
            try await eventually("all of the call's allocations are closed") {
                relay.counters().liveAllocations == 1
            }
            for client in ended { #expect(try client.refresh(seconds: 600).error == 437) }
            for client in ended { #expect(try allocateError(client) == 403) }
            #expect(try other.refresh(seconds: 600).isSuccess)
            try other.sendChannelData(0x4000, [4])
            #expect(try peer.receive()?.bytes == [4])
            let closed = heard.all.compactMap { notice -> RelayTraffic? in
                guard case .allocationClosed(_, _, .callEnded, let traffic) = notice else { return nil }
                return traffic
            }
            #expect(closed.count == 12 && closed.allSatisfy { $0.bytesToPeers == 3 })
        }
    }

    @Test("no allocation survives its call, whenever in the course of its Allocate the call ends")
    func race() async throws {
        try await withRelay(workers: 3, calls) { relay, server in
            for round in 0..<30 {
                let call = "call\(round)"
                let clients = try (0..<8).map { try client(of: server, user: "@user\($0)", call: call) }
                // Challenged once, so that the request below is the one that opens.
                for client in clients { _ = try client.request(.refresh) }
                let ending = Task {
                    if round % 3 != 0 { await Task.yield() }
                    return relay.endAllocations(ofCall: EndedCall(callID: call, credentialSeconds: 3600))
                }
                for client in clients {
                    let error = try allocateError(client)
                    #expect(error == nil || error == 403)
                }
                #expect(await ending.value)
                for client in clients {
                    try await eventually("round \(round)") { try client.request(.refresh).error == 437 }
                }
            }
            try await eventually("nothing is left") { relay.counters().liveAllocations == 0 }
        }
    }

    @Test("calls that were over before the start are refused from the first request on")
    func restored() async throws {
        try await withRelay(
            workers: 2,
            {
                calls(&$0)
                $0.endedCalls = [EndedCall(callID: "one", credentialSeconds: 3600)]
            }
        ) { _, server in
            for _ in 0..<6 { #expect(try allocateError(try client(of: server, user: "@alice", call: "one")) == 403) }
            _ = try client(of: server, user: "@alice", call: "two").allocate()
        }
    }

    @Test("what a call's allocation relays is told while it lives")
    func liveTraffic() async throws {
        let heard = Heard()
        try await withRelay({ calls(&$0) }, notify: { heard.add($0) }) { _, server in
            let peer = try TestSocket()
            let client = try client(of: server, user: "@alice", call: "one")
            let relayed = try client.allocate()
            try client.bind(0x4000, to: peer.endpoint)
            try client.sendChannelData(0x4000, [1, 2, 3])
            try peer.send([1, 2, 3, 4, 5], to: relayed)
            _ = try client.receiveChannelData()
            try await eventually("a report of both directions") {
                heard.all.contains { notice in
                    guard case .allocationTraffic(_, let traffic) = notice else { return false }
                    return traffic.bytesToPeers == 3 && traffic.bytesToClient == 5
                }
            }
        }
    }

    @Test("at the end of a drain what is left is told as drained, with its traffic")
    func drained() async throws {
        let heard = Heard()
        var configuration = try RelayConfiguration.forTests()
        configuration.workers = 2
        let relay = RelayService(configuration, notify: { heard.add($0) })
        let server = try relay.start().listeners[0]
        let peer = try TestSocket()
        let clients = try (0..<6).map { _ in try TestClient(of: server) }
        for client in clients {
            _ = try client.allocate()
            try client.bind(0x4000, to: peer.endpoint)
            try client.sendChannelData(0x4000, [1, 2, 3])
            _ = try #require(try peer.receive())
        }
        await relay.stop(drainingFor: .milliseconds(50))
        let drained = heard.all.filter { notice in
            guard case .allocationClosed(_, "alice", .drained, let traffic) = notice else { return false }
            return traffic.bytesToPeers == 3
        }
        #expect(drained.count == 6)
        #expect(relay.counters().liveAllocations == 0)
    }

    @Test("while draining with a sibling known, new clients are sent there")
    func alternate() async throws {
        let relay = RelayService(try RelayConfiguration.forTests())
        let server = try relay.start().listeners[0]
        let client = try TestClient(of: server)
        _ = try client.allocate()
        var alternates = AlternateServers()
        alternates.ipv4 = try Endpoint(parsing: "203.0.113.77:3478")
        let stopping = Task { [alternates] in await relay.stop(drainingFor: .seconds(3600), alternates: alternates) }
        let late = try TestClient(of: server)
        try await eventually("new allocations are sent on") {
            let error = try allocateError(late)
            if error == nil { _ = try late.refresh(seconds: 0) }
            return error == 300
        }
        #expect(try client.refresh(seconds: 0).isSuccess)
        await stopping.value
    }
}

@Suite("Meters of calls")
struct CallMetersTests {
    @Test("everyone has a turn within a round, whoever comes and goes")
    func turns() {
        var meters = CallMeters()
        for slot in 0..<100 as Range<UInt32> { meters.open(AllocationID(slot: slot, generation: 0)) }
        for slot in 0..<100 as Range<UInt32> where slot % 3 == 0 {
            meters.close(AllocationID(slot: slot, generation: 0))
        }
        meters.close(AllocationID(slot: 4711, generation: 0))
        var seen: Set<UInt32> = []
        for _ in 0..<CallMeters.secondsPerRound {
            for _ in 0..<meters.turns { if let id = meters.next() { seen.insert(id.slot) } }
        }
        #expect(seen == Set((0..<100).filter { $0 % 3 != 0 }))
    }

    @Test("traffic is news once")
    func news() {
        var meters = CallMeters()
        let id = AllocationID(slot: 3, generation: 0)
        var traffic = RelayTraffic()
        meters.open(id)
        #expect(meters.isNews(traffic, of: id) == false)
        traffic.bytesToPeers = 1
        #expect(meters.isNews(traffic, of: id) == true)
        #expect(meters.isNews(traffic, of: id) == false)
        meters.close(id)
        traffic.bytesToPeers = 2
        #expect(meters.isNews(traffic, of: id) == false)
        #expect(meters.count == 0 && meters.turns == 0)
    }
}
