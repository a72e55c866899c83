import NetPrimitives
import PacketIO
import RelayRuntime
import STUNCore
import TURNRelay
import Testing

@Suite("Both families over real sockets")
struct DualStackTests {
    /// A client of one family and what it may relay to.
    static let pairs: [(IPAddress.Family, IPAddress.Family)] = [
        (.ipv4, .ipv4), (.ipv4, .ipv6), (.ipv6, .ipv4), (.ipv6, .ipv6),
    ]

    @Test("a client of either family reaches peers of either, by indication and by channel", arguments: pairs)
    func relaying(client clientFamily: IPAddress.Family, peer peerFamily: IPAddress.Family) async throws {
        try await withRelay(listen: [loopback, loopback6]) { _, _, servers in
            let server = try #require(servers.first { $0.address.family == clientFamily })
            let client = try TestClient(of: server, from: server.address)
            let peer = try TestSocket(peerFamily == .ipv4 ? loopback : loopback6)
            let relayed = try client.allocate(peerFamily)
            #expect(relayed.address == peer.endpoint.address)
            try client.permit(peer.endpoint)
            try client.sendIndication([1, 2, 3], to: peer.endpoint)
            let up = try #require(try peer.receive())
            #expect(up.bytes == [1, 2, 3] && up.source == relayed)
            try peer.send([4, 5], to: relayed)
            let down = try client.receiveIndication()
            #expect(down.peer == peer.endpoint && down.payload == [4, 5])

            try client.bind(0x4001, to: peer.endpoint)
            try client.sendChannelData(0x4001, [6])
            #expect(try peer.receive()?.bytes == [6])
            try peer.send([7], to: relayed)
            #expect(try client.receiveChannelData().payload == [7])
        }
    }

    @Test("an IPv4 peer in IPv6 clothes is no way out of an IPv6 relay")
    func mappedPeer() async throws {
        try await withRelay(listen: [loopback, loopback6]) { _, server, _ in
            let client = try TestClient(of: server)
            let peer = try TestSocket()
            _ = try client.allocate(.ipv6)
            let mapped = IPAddress(ipv6High: 0, low: 0xFFFF_0000_0000 | UInt64(loopback.ipv4Bits))
            let disguised = Endpoint(address: mapped, port: peer.endpoint.port)
            let permission = try client.request(.createPermission) { builder in
                builder.appendXORAddress(.xorPeerAddress, disguised)
            }
            #expect(permission.error == 403)
            try client.sendIndication([1], to: disguised)
            #expect(try peer.receive(within: 200) == nil)
        }
    }

    @Test("a dual allocation relays to peers of both families, and a Refresh ends one half")
    func dual() async throws {
        try await withRelay(listen: [loopback, loopback6]) { relay, server, _ in
            let client = try TestClient(of: server)
            let answer = try client.request(.allocate) { builder in
                builder.appendRequestedTransport(.udp)
                builder.appendAdditionalAddressFamily(.ipv6)
            }
            try #require(answer.relays.map(\.address) == [loopback, loopback6], "\(answer)")
            let peers = [try TestSocket(loopback), try TestSocket(loopback6)]
            for (peer, relayed) in zip(peers, answer.relays) {
                try client.permit(peer.endpoint)
                try client.sendIndication([1], to: peer.endpoint)
                #expect(try peer.receive()?.source == relayed)
                try peer.send([2], to: relayed)
                #expect(try client.receiveIndication().peer == peer.endpoint)
            }
            let refreshed = try client.request(.refresh) { builder in
                builder.appendLifetime(seconds: 0)
                builder.appendRequestedAddressFamily(.ipv4)
            }
            #expect(refreshed.isSuccess)
            try await eventually("the IPv4 port is free") { isFree(answer.relays[0]) }
            #expect(!isFree(answer.relays[1]) && relay.counters().liveAllocations == 1)
            try client.sendIndication([3], to: peers[1].endpoint)
            #expect(try peers[1].receive()?.bytes == [3])
            #expect(try client.refresh(seconds: 0).isSuccess)
            try await eventually("the IPv6 port is free") { isFree(answer.relays[1]) }
        }
    }

    @Test("a reserved port is redeemed from whatever shard the token comes to")
    func reservations() async throws {
        // A reserved port is no socket yet: these are ports that no other relay of the tests draws.
        try await withRelay(workers: 4, { $0.relayPorts = 32_000...32_767 }) { relay, server in
            // Kept until the end: a port of a client that is gone may become another's, and its allocation is still there.
            var clients: [TestClient] = []
            for _ in 0..<20 {
                let (first, second, third) = try (
                    TestClient(of: server), TestClient(of: server), TestClient(of: server)
                )
                clients += [first, second, third]
                let pair = try first.request(.allocate) { builder in
                    builder.appendRequestedTransport(.udp)
                    builder.appendEvenPort(EvenPort(reservesNextPort: true))
                }
                let token = try #require(pair.token, "\(pair)")
                let even = try #require(pair.relayed)
                let redeemed = try second.request(.allocate) { builder in
                    builder.appendRequestedTransport(.udp)
                    builder.appendReservationToken(token)
                }
                #expect(redeemed.relayed == Endpoint(address: even.address, port: even.port + 1))
                let used = try third.request(.allocate) { builder in
                    builder.appendRequestedTransport(.udp)
                    builder.appendReservationToken(token)
                }
                #expect(used.error == 508)
            }
            try await eventually("several shards had a part in it") {
                relay.countersByShard().count { $0[.allocationsOpened] > 0 } > 1
            }
            #expect(clients.count == 60)
        }
    }

    @Test("a user at the quota who gives an allocation back and asks at once for the next gets it")
    func quotaComesBackAtOnce() async throws {
        try await withRelay({ $0.userQuota = 1 }) { _, server in
            let client = try TestClient(of: server)
            _ = try client.allocate()
            var successes = 0
            for _ in 0..<200 {
                // Both wait in the listener when the shard looks: one pass does the release and the request.
                try client.post(.refresh) { $0.appendLifetime(seconds: 0) }
                let answer = try client.request(.allocate) { $0.appendRequestedTransport(.udp) }
                // The system may deliver the two in the other order, which is a mismatch.
                #expect(answer.isSuccess || answer.error == 437, "\(answer)")
                if answer.isSuccess { successes += 1 } else { _ = try client.allocate() }
            }
            #expect(successes > 0)
        }
    }
}
