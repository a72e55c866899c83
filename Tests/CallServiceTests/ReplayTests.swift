import CallModel
import CallService
import Signaling
import SocketIO
import Testing

@Suite("What joining sockets hear of the past")
struct ReplayTests {
    @Test("A late joiner hears the newest offer with its candidates, after its acknowledgement and before what follows")
    func lateJoiner() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let alice = await node.connect("alice", "a1")
        let bob = await node.connect("bob", "b1")
        let id = try await node.initiate("alice", ["bob"], offer: #"{"sdp":"early"}"#).call.id
        try await node.join(id, "alice", alice)
        try await node.send(id, "alice", .candidate, #""c0""#)
        try await node.send(id, "alice", .offer, #"{"sdp":"new"}"#)
        try await node.send(id, "alice", .candidate, #""c1""#)
        _ = try await node.answer(id, "bob")
        _ = bob.take()

        let outcome = try await node.service.joinCall(
            id,
            device: nil,
            after: nil,
            socket: bob,
            by: Node.identity("bob")
        )
        #expect(outcome.missed.isEmpty)
        try await node.send(id, "alice", .candidate, #""c2""#)
        #expect(bob.take().isEmpty, "nothing overtakes the acknowledgement")
        node.service.acknowledgedJoin(id, socket: bob)
        let heard = bob.take()
        #expect(heard.map(\.event) == ["webrtc-offer", "ice-candidate", "ice-candidate"])
        #expect(heard.first?.payload["offer"]?.text == #"{"sdp":"new"}"#)
        #expect(heard.dropFirst().compactMap { $0.payload["candidate"]?.stringValue } == ["c1", "c2"])
        #expect(heard.compactMap(\.sequence) == heard.compactMap(\.sequence).sorted())
    }

    @Test("A resumed session hears exactly what it missed, once, and the others hear nothing of it")
    func resume() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let (id, alice, bob) = try await fixture.activeCall(node)
        _ = try await node.service.toggleAudio(id, enabled: false, by: Node.identity("alice"))
        let last = try #require(bob.take().last?.sequence)
        await node.service.disconnected(bob.id)
        #expect(
            try await node.service.status(id, by: Node.identity("bob")).participant("@bob:hs")?.state == .reconnecting
        )
        try await node.send(id, "alice", .offer, #"{"sdp":"1"}"#)
        try await node.send(id, "alice", .offer, #"{"sdp":"2"}"#)
        _ = try await node.service.toggleAudio(id, enabled: true, by: Node.identity("alice"))
        let back = await node.connect("bob", "b2")
        let outcome = try await node.join(id, "bob", back, after: Int64(last))
        #expect(outcome.missed.map(\.name) == ["webrtc-offer", "webrtc-offer", "audio-toggled"])
        #expect(outcome.missed.allSatisfy { $0.sequence > Int64(last) })
        #expect(outcome.json["missed"]?.elements()?.first?["data"]?["offer"]?.text == #"{"sdp":"1"}"#)
        #expect(back.take().isEmpty && alice.take().isEmpty)
        try await node.send(id, "alice", .candidate, "null")
        #expect(back.takeNames() == ["ice-candidate"])
        #expect(bob.take().isEmpty)
    }

    @Test("Relay allocations use up nothing of what can be sent again; told events do, and then a resume is refused")
    func window() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let (id, _, bob) = try await fixture.activeCall(node)
        try await node.send(id, "alice", .offer, #"{"sdp":"1"}"#)
        let offer = Int64(try #require(bob.take().last?.sequence))
        for _ in 0..<(CallLimits.keptEvents / 2 + 64) {
            try await node.service.relayAllocated(id, by: "@alice:hs")
            try await node.service.relayReleased(id, by: "@alice:hs", .released, use: RelayUse())
        }
        await node.service.disconnected(bob.id)
        let back = await node.connect("bob", "b2")
        #expect(try await node.join(id, "bob", back, after: offer - 1).missed.map(\.name) == ["webrtc-offer"])
        let batch = (0..<CallLimits.candidatesPerBatch).map { _ in Signal(kind: .candidate, to: nil, payload: "null") }
        for _ in 0..<(CallLimits.keptEvents / batch.count) {
            _ = try await node.service.signal(id, batch, by: Node.identity("alice"))
        }
        let before = try await node.service.status(id, by: Node.identity("bob"))
        let late = await node.connect("bob", "b3")
        await #expect(throws: CallFailure.resyncRequired) { try await node.join(id, "bob", late, after: offer) }
        #expect(try await node.service.status(id, by: Node.identity("bob")) == before, "a refusal changes nothing")
        let first = before.sequence - Int64(CallLimits.keptEvents) + 1
        #expect(try await node.join(id, "bob", late, after: first).missed.count == CallLimits.keptEvents - 1)
    }

    @Test("A fresh session is announced again, replaces the older one, and is not sent answers to it")
    func fresh() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let (id, alice, bob) = try await fixture.activeCall(node)
        try await node.send(id, "alice", .offer, "{}")
        try await node.send(id, "bob", .answer, "{}")
        _ = (alice.take(), bob.take())
        let reloaded = await node.connect("alice", "a2")
        try await node.join(id, "alice", reloaded)
        #expect(bob.takeNames() == ["user-joined"])
        #expect(reloaded.take().isEmpty)
        await node.service.disconnected(alice.id)
        #expect(
            try await node.service.status(id, by: Node.identity("alice")).participant("@alice:hs")?.state == .joined
        )
        try await node.send(id, "bob", .candidate, "null")
        #expect(reloaded.takeNames() == ["ice-candidate"] && alice.take().isEmpty)
    }

    @Test("A lost socket that does not come back leaves, and the call of two ends")
    func graceOver() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let (id, alice, bob) = try await fixture.activeCall(node)
        await node.service.disconnected(bob.id)
        fixture.clock.advance(29_999)
        await node.service.sweep()
        #expect(alice.take().isEmpty)
        fixture.clock.advance(1)
        await node.service.sweep()
        #expect(alice.takeNames() == ["user-left", "call-ended"])
        let call = try await node.service.status(id, by: Node.identity("alice"))
        #expect(call.endReason == .left && call.endedBy == "@bob:hs")
        let reports = node.reports.all
        #expect(reports.count == 1 && reports.first?.contains("callEnded") == true)
    }

    @Test("Credentials are renewed before they end, for whoever is still in a call")
    func credentials() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let (id, alice, bob) = try await fixture.activeCall(node)
        fixture.clock.advance(3_200_000)
        await node.service.sweep()
        #expect(alice.take().isEmpty)
        fixture.clock.advance(150_000)
        await node.service.sweep()
        #expect(alice.takeNames() == ["ice-servers"])
        #expect(bob.take().first?.payload["expiresAt"] != nil)
        await node.service.sweep()
        #expect(alice.take().isEmpty)
        _ = try await node.service.end(id, reason: nil, by: Node.identity("alice"))
        _ = alice.take()
        fixture.clock.advance(3_600_000)
        await node.service.sweep()
        #expect(alice.take().isEmpty)
    }

    @Test("After a restart every place in a call is on its grace, and whoever comes back resumes")
    func restart() async throws {
        let fixture = try await ServiceFixture()
        let before = try fixture.node()
        let (id, _, _) = try await fixture.activeCall(before)
        let node = try fixture.node()
        try await node.service.recoverSessions()
        let call = try await node.service.status(id, by: Node.identity("alice"))
        #expect(call.participants.allSatisfy { $0.state == .reconnecting })
        let alice = await node.connect("alice", "a9")
        try await node.join(id, "alice", alice, after: call.sequence)
        fixture.clock.advance(30_000)
        await node.service.sweep()
        #expect(alice.takeNames() == ["user-left", "call-ended"])
    }
}
