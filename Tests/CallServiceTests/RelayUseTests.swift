import CallModel
import CallService
import CallStore
import CallStoreTestSupport
import Signaling
import SocketIO
import Testing

@Suite("Relay use of calls")
struct RelayUseTests {
    @Test("Allocation, bytes and end reach the call: status, audit and nobody's socket")
    func accounts() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let (id, alice, bob) = try await fixture.activeCall(node)
        try await node.service.relayAllocated(id, by: "@alice:hs")
        let identity = Node.identity("bob")
        #expect(try await node.service.status(id, by: identity).participant("@alice:hs")?.relay == RelayUse())
        let use = RelayUse(bytesSent: 10, bytesReceived: 20)
        try await node.service.addRelayUse([CallRelayUse(callID: id, userID: "@alice:hs", use: use)])
        try await node.service.relayReleased(id, by: "@alice:hs", .released, use: use)
        let call = try await node.service.status(id, by: identity)
        #expect(call.participant("@alice:hs")?.json["relay"]?.text == #"{"bytesSent":10,"bytesReceived":20}"#)
        #expect(call.participant("@bob:hs")?.json["relay"] == nil)
        let kinds = try await fixture.audit(node, id).suffix(2).map(\.kind)
        #expect(kinds == [.relayAllocated, .relayReleased(.released, bytes: 30)])
        let page = try await node.service.events(id, cursor: nil, limit: nil, by: identity)
        let last = try #require(page.items.last)
        #expect(last["kind"] == "relay-released" && last["size"] == 30 && last["cause"] == "released")
        #expect(last["userId"] == "@alice:hs" && last["deviceId"] == nil)
        #expect(alice.take().isEmpty && bob.take().isEmpty)
    }

    @Test("Whoever is not of the audience cannot be written into a call")
    func strangers() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let (id, _, _) = try await fixture.activeCall(node)
        await #expect(throws: CallFailure.forbidden) { try await node.service.relayAllocated(id, by: "@mallory:hs") }
        #expect(try await node.service.audience(of: id) == ["@alice:hs", "@bob:hs"])
    }

    @Test("The relay hears of a call's end, however it ends, once")
    func ends() async throws {
        let fixture = try await ServiceFixture()
        let relay = EndedCalls()
        let node = try fixture.node(mediaRelay: relay)
        let first = try await fixture.activeCall(node).id
        #expect(relay.all.isEmpty)
        _ = try await node.service.end(first, reason: nil, by: Node.identity("bob"))
        _ = try await node.service.end(first, reason: nil, by: Node.identity("alice"))
        #expect(relay.all == [first])
        // Nobody answers.
        let second = try await node.initiate("alice", ["bob"]).call.id
        fixture.clock.advance(60_000)
        await node.service.sweep()
        #expect(relay.all == [first, second])
        let third = try await node.initiate("alice", ["bob"]).call.id
        _ = try await node.service.reject(third, reason: nil, by: Node.identity("bob"))
        #expect(relay.all == [first, second, third])
    }

    @Test("An allocation that is told of after its call's end makes the relay hear of the end again")
    func late() async throws {
        let fixture = try await ServiceFixture()
        let relay = EndedCalls()
        let node = try fixture.node(mediaRelay: relay)
        let id = try await fixture.activeCall(node).id
        _ = try await node.service.end(id, reason: nil, by: Node.identity("bob"))
        try await node.service.relayAllocated(id, by: "@alice:hs")
        #expect(relay.all == [id, id])
        try await node.service.relayAllocated(id, by: "@alice:hs", isAudited: false)
        #expect(relay.all == [id, id, id], "also if the audit does not tell of it")
        try await node.service.relayReleased(id, by: "@alice:hs", .callEnded, use: RelayUse())
        #expect(try await fixture.audit(node, id).count { $0.kind == .relayAllocated } == 1)
        let call = try await node.service.status(id, by: Node.identity("alice"))
        #expect(call.state == .ended)
    }

    @Test("An allocation that the store failed at may be told again, and stands in the audit once")
    func again() async throws {
        let fixture = try await ServiceFixture()
        let store = try fixture.failingStore()
        let node = try fixture.node(store: store)
        let id = try await fixture.activeCall(node).id
        store.fail(.writes)
        await #expect(throws: CallFailure.storeUnavailable) {
            try await node.service.relayAllocated(id, by: "@alice:hs")
        }
        store.fail(.none)
        try await node.service.relayAllocated(id, by: "@alice:hs")
        #expect(try await fixture.audit(node, id).count { $0.kind == .relayAllocated } == 1)
    }

    @Test("An idempotent repetition hands out no credential for a call that is over")
    func repetition() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let alice = Node.identity("alice")
        let request = try RepeatableRequest(key: "k", route: "initiate", bodyHash: "h")
        let place = { () async throws(CallFailure) -> Answer in
            try await node.service.once(request, form: .callWithICE, by: alice) { _ async throws(CallFailure) in
                let wish = CallInitiation(roomID: "!room", invitees: ["@bob:hs"])
                let admission = try await node.service.initiate(wish, device: nil, by: alice)
                return Answer(status: 201, callID: admission.call.id, json: admission.json, form: .callWithICE)
            }
        }
        let first = try await place()
        let second = try await place()
        #expect(second.callID == first.callID && second.json["iceServers"] != nil)
        _ = try await node.service.end(first.callID, reason: nil, by: alice)
        let ended = try await node.service.status(first.callID, by: alice)
        await #expect(throws: CallFailure.callEnded(ended)) { _ = try await place() }
    }
}
