import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@testable import TURNRelay

@Suite("Calls that are over")
struct EndedCallTests {
    private func closings(_ events: [RelayEvent]) -> [CloseCause] {
        events.compactMap { if case .allocationClosed(_, let cause, _) = $0 { cause } else { nil } }
    }

    @Test("the end of a call ends its allocations and no others, those of the same user among them")
    func ends() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.1:1000", user: "@alice", inCall: "one")
        let aliceAgain = try relay.client("198.51.100.1:1001", user: "@alice", inCall: "one")
        let bob = try relay.client("198.51.100.2:1000", user: "@bob", inCall: "one")
        let aliceElsewhere = try relay.client("198.51.100.1:1002", user: "@alice", inCall: "two")
        let stranger = try relay.client("198.51.100.3:1000")
        for client in [alice, aliceAgain, bob, aliceElsewhere, stranger] { try relay.allocate(client) }
        #expect(try relay.bind(alice, 0x4000, "203.0.113.5:9").isSuccess)
        #expect(try relay.bind(aliceElsewhere, 0x4000, "203.0.113.5:9").isSuccess)
        let socket = try relay.relay(of: alice)
        _ = relay.takeEvents()

        relay.endCall("one")

        #expect(closings(relay.takeEvents()) == [.callEnded, .callEnded, .callEnded])
        #expect(relay.shard.allocationCount == 2)
        #expect(relay.leases.count == 2)
        #expect(relay.send([1], from: alice, by: 0x4000) == .drop(.unknownChannel))
        let peer = try Endpoint(parsing: "203.0.113.5:9")
        #expect(relay.shard.routePeer(byteCount: 1, from: peer, on: socket, now: relay.now) == .drop(.noPermission))
        #expect(relay.send([1], from: aliceElsewhere, by: 0x4000).delivery != nil)
        #expect(try relay.refresh(alice).code == 437)
        #expect(try relay.refresh(aliceElsewhere).isSuccess)
    }

    @Test("credentials that name an ended call get 403, sealed, while they may be good; others are served")
    func refuses() throws {
        var relay = try TURNScenario()
        relay.endCall("one", credentialSeconds: 100)
        let alice = try relay.client("198.51.100.1:1000", user: "@alice", inCall: "one")
        let refusal = try relay.exchange(relay.allocateBytes(alice), alice)
        #expect(refusal.code == 403 && refusal.isSealed)
        #expect(relay.leases.isEmpty)
        try relay.allocate(try relay.client("198.51.100.1:1001", user: "@alice", inCall: "two"))
        try relay.allocate(try relay.client("198.51.100.1:1002", user: "@alice", inCall: ""))
        relay.advance(bySeconds: 99)
        #expect(try relay.exchange(relay.allocateBytes(alice), alice).code == 403)
        // By then the credential itself has ended; this one was minted to last longer than any of the server's.
        relay.advance(bySeconds: 1)
        try relay.allocate(alice)
    }

    @Test("an Allocate whose socket is still being opened does not survive its call")
    func inFlight() throws {
        var relay = try TURNScenario()
        relay.holdsOpening = true
        let alice = try relay.client("198.51.100.1:1000", user: "@alice", inCall: "one")
        relay.deliver(relay.allocateBytes(alice), from: alice.flow)
        let id = try #require(relay.openings.keys.first)
        relay.endCall("one")
        #expect(relay.shard.allocationCount == 0)
        let late = SocketID(slot: 9, generation: 0)
        relay.shard.relayOpened(
            id,
            .opened(late, try Endpoint(parsing: "192.0.2.1:50000")),
            now: relay.now,
            into: &relay.effects
        )
        #expect(relay.effects.count == 1 && relay.effects[0] == .closeRelay(late))
        #expect(relay.shard.allocationCount == 0)
    }

    @Test("a call with more allocations than the queue has room for is ended in several steps")
    func many() throws {
        var relay = try TURNScenario()
        for port in 1...200 {
            try relay.allocate(try relay.client("198.51.100.1:\(port)", user: "@alice", inCall: "one"))
        }
        relay.endCall("one")
        #expect(relay.shard.allocationCount == 0)
        #expect(relay.leases.isEmpty)
    }

    @Test("an allocation that had expired unnoticed is said to have expired")
    func expired() throws {
        var relay = try TURNScenario()
        try relay.allocate(try relay.client("198.51.100.1:1", user: "@alice", inCall: "one"))
        relay.advance(bySeconds: 601)
        _ = relay.takeEvents()
        relay.endCall("one")
        #expect(closings(relay.takeEvents()) == [.expired])
    }

    @Test("a released allocation is not ended again")
    func released() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.1:1", user: "@alice", inCall: "one")
        let bob = try relay.client("198.51.100.2:1", user: "@bob", inCall: "one")
        try relay.allocate(alice)
        try relay.allocate(bob)
        #expect(try relay.refresh(alice, lifetime: 0).isSuccess)
        _ = relay.takeEvents()
        relay.endCall("one")
        #expect(closings(relay.takeEvents()) == [.callEnded])
        relay.endCall("one")
        #expect(relay.takeEvents().isEmpty)
    }

    @Test("a full table forgets the call that ended first, and what is over by itself goes without being asked")
    func bounded() {
        var calls = EndedCalls(limit: 3)
        let now = Instant(nanoseconds: 0)
        for name in ["a", "b", "c", "d"] {
            calls.insert(EndedCall(callID: name, credentialSeconds: 10), now: now)
        }
        #expect(!calls.contains("a", now: now))
        for name in ["b", "c", "d"] { #expect(calls.contains(name, now: now)) }
        let later = now.advanced(bySeconds: 10)
        calls.insert(EndedCall(callID: "e", credentialSeconds: 10), now: later)
        #expect(calls.count == 1)
        #expect(calls.contains("e", now: later) && !calls.contains("d", now: later))
    }

    @Test("a call that is told to have ended again is refused for the longer of the two times")
    func toldTwice() {
        var calls = EndedCalls(limit: 3)
        let now = Instant(nanoseconds: 0)
        calls.insert(EndedCall(callID: "a", credentialSeconds: 10), now: now)
        calls.insert(EndedCall(callID: "a", credentialSeconds: 5), now: now)
        #expect(calls.count == 1 && calls.contains("a", now: now.advanced(bySeconds: 9)))
    }

    @Test("a running call outlives its credential and stays its user's: another one is answered 441")
    func outlives() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.1:1", user: "@alice", inCall: "one", endingIn: 60)
        try relay.allocate(alice)
        relay.advance(bySeconds: 300)
        #expect(try relay.refresh(alice).isSuccess)
        #expect(try relay.permit(alice, "203.0.113.5").isSuccess)
        let mallory = try relay.client("198.51.100.1:1", user: "@mallory", inCall: "one")
        #expect(try relay.refresh(mallory).code == 441)
        let late = try relay.client("198.51.100.1:2", user: "@alice", inCall: "one", endingIn: 0)
        #expect(try relay.exchange(relay.allocateBytes(late), late).code == 401)
    }
}

@Suite("Draining")
struct DrainTests {
    @Test("RFC 8489 §10: Allocate is answered 300 with a server of the client's family, authenticated and sealed")
    func tryAlternate() throws {
        var relay = try TURNScenario()
        let early = try relay.client("198.51.100.1:1")
        try relay.allocate(early)
        var alternates = AlternateServers()
        alternates.ipv4 = try Endpoint(parsing: "203.0.113.77:3478")
        relay.shard.drain(to: alternates)

        let late = try relay.client("198.51.100.2:1")
        let bytes = relay.allocateBytes(late)
        relay.deliver(bytes, from: late.flow)
        let answer = try #require(relay.takeSent().first).bytes
        let reply = try Reply(answer, for: late)
        #expect(reply.code == 300 && reply.isSealed)
        let message = try MessageView(parsing: answer.span.rawBytes)
        #expect(message.alternateServers == [try Endpoint(parsing: "203.0.113.77:3478")])

        #expect(try relay.refresh(early).isSuccess, "who has an allocation keeps it")
        // Without a proof of who asks there is no word of another server.
        relay.deliver(
            stunMessage(MessageType(.allocate, .request)) { $0.appendRequestedTransport(.udp) },
            from: late.flow
        )
        #expect(try Reply(try #require(relay.takeSent().first).bytes, for: late).code == 401)
    }

    @Test("a client of a family without another server is not sent to one of the other family")
    func otherFamily() throws {
        var relay = try TURNScenario()
        var alternates = AlternateServers()
        alternates.ipv4 = try Endpoint(parsing: "203.0.113.77:3478")
        relay.shard.drain(to: alternates)
        let late = try relay.client("[2001:db8::2]:1")
        #expect(try relay.exchange(relay.allocateBytes(late), late).code != 300)
    }

    @Test("at the deadline everything left is closed and told, however much it is")
    func deadline() throws {
        var relay = try TURNScenario()
        for port in 1...200 { try relay.allocate(try relay.client("198.51.100.1:\(port)")) }
        _ = relay.takeEvents()
        relay.closeAll()
        let causes = relay.takeEvents().compactMap { event -> CloseCause? in
            if case .allocationClosed(_, let cause, _) = event { cause } else { nil }
        }
        #expect(causes.count == 200 && causes.allSatisfy { $0 == .drained })
        #expect(relay.shard.allocationCount == 0 && relay.leases.isEmpty)
    }
}
