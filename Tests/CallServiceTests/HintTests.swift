import CallModel
import CallStoreTestSupport
import Signaling
import Testing

@testable import CallService

@Suite("Hints of another node")
struct HintTests {
    private static func until(_ isTrue: () async throws -> Bool) async throws {
        while !(try await isTrue()) { try await Task.sleep(for: .milliseconds(2)) }
    }

    @Test(
        "What sockets were told already is not looked for, and what they were not is told once",
        .timeLimit(.minutes(1))
    )
    func known() async throws {
        let fixture = try await ServiceFixture()
        let store = try fixture.failingStore()
        let (here, there) = (try fixture.node(store: store), try fixture.node())
        let (id, _, bob) = try await fixture.activeCall(here)
        let sequence = try await there.service.status(id, by: Node.identity("alice")).sequence
        let before = store.readCount
        here.service.hint(id, "ice-candidate", upTo: sequence)
        // The lane is passed in order: whatever the hint led to is over.
        try await here.service.inLane(id) { () async throws(CallFailure) in }
        #expect(store.readCount == before)
        try await there.send(id, "alice", .offer, "{}")
        here.service.hint(id, "webrtc-offer", upTo: sequence + 1)
        here.service.hint(id, "webrtc-offer", upTo: sequence + 1)
        var heard: [String] = []
        try await Self.until {
            heard += bob.takeNames()
            return !heard.isEmpty
        }
        try await here.service.inLane(id) { () async throws(CallFailure) in }
        #expect(heard + bob.takeNames() == ["webrtc-offer"])
        #expect(store.readCount == before + 1)
    }

    @Test("What is committed while a call is being looked at is told once", .timeLimit(.minutes(1)))
    func meanwhile() async throws {
        let fixture = try await ServiceFixture()
        let store = try fixture.failingStore()
        let (here, there) = (try fixture.node(store: store), try fixture.node())
        let (id, _, bob) = try await fixture.activeCall(here)
        try await there.send(id, "alice", .candidate, "1")
        store.afterNextRead {
            do { try await there.send(id, "alice", .candidate, "2") } catch { Issue.record("\(error)") }
        }
        var heard: [FakeSocket.Heard] = []
        here.service.hint(id)
        try await Self.until {
            heard += bob.take()
            return !heard.isEmpty
        }
        here.service.hint(id)
        try await Self.until {
            heard += bob.take()
            return heard.count >= 2
        }
        try await here.service.inLane(id) { () async throws(CallFailure) in }
        heard += bob.take()
        #expect(heard.map(\.event) == ["ice-candidate", "ice-candidate"])
        #expect(heard.compactMap(\.sequence) == Array(Set(heard.compactMap(\.sequence))).sorted())
    }

    @Test(
        "Who only relays for a call looks at it when it may have ended, and not for each signal",
        .timeLimit(.minutes(1))
    )
    func relayAlone() async throws {
        let fixture = try await ServiceFixture()
        let store = try fixture.failingStore()
        let ended = EndedCalls()
        let (relay, there) = (try fixture.node(store: store, mediaRelay: ended), try fixture.node())
        let (id, _, _) = try await fixture.activeCall(there)
        relay.service.hub.watch(try await there.service.status(id, by: Node.identity("alice")))
        relay.service.hint(id, "ice-candidate", upTo: 99)
        try await relay.service.inLane(id) { () async throws(CallFailure) in }
        #expect(store.readCount == 0)
        let sequence = try await there.service.end(id, reason: nil, by: Node.identity("alice")).sequence
        relay.service.hint(id, "call-ended", upTo: sequence)
        try await Self.until { ended.all == [id] }
    }

    @Test("Of several hints that wait the newest number counts")
    func newest() throws {
        let waiting = CatchUps()
        let id = try #require(CallID("call-1"))
        #expect(waiting.begin(id, 3) && !waiting.begin(id, 9) && !waiting.begin(id, 5))
        #expect(waiting.begun(id) == 9)
        #expect(waiting.begin(id, 2))
        #expect(waiting.begun(id) == 2)
    }
}
