import CallModel
import CallService
import Signaling
import SocketIO
import Testing

@Suite("A call between two, with its sockets")
struct CallFlowTests {
    @Test("The seven steps: who hears what, in which order, and that an outsider hears nothing")
    func sevenSteps() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let alice = await node.connect("alice", "a1")
        let bob = await node.connect("bob", "b1")
        let mallory = await node.connect("mallory", "m1")

        let admission = try await node.initiate("alice", ["bob"])
        let id = admission.call.id
        #expect(admission.isNew && admission.call.state == .ringing)
        #expect(admission.json["iceTransportPolicy"]?.stringValue == "relay")
        #expect(admission.json["callId"]?.stringValue == id.rawValue)
        #expect(admission.call.participant("@bob:hs")?.state == .ringing)
        #expect(bob.takeNames() == ["call-incoming"])

        let joined = try await node.join(id, "alice", alice)
        #expect(joined.peers.isEmpty && joined.missed.isEmpty)
        #expect(joined.json["iceServers"] != nil && joined.json["ok"]?.booleanValue == true)

        #expect(try await node.answer(id, "bob", device: "phone").call.state == .connecting)
        #expect(alice.takeNames() == ["call-answered"])
        #expect(bob.takeNames() == ["call-answered"])

        let joinedBob = try await node.join(id, "bob", bob)
        #expect(joinedBob.call.state == .active)
        #expect(joinedBob.json["peers"]?.text == #"[{"userId":"@alice:hs","polite":true}]"#)
        #expect(alice.takeNames() == ["user-joined"])

        let sdp = #"{"type":"offer","sdp":"v=0\r\n é","n":1.0}"#
        try await node.send(id, "alice", .offer, sdp)
        let offer = try #require(bob.take().first)
        #expect(offer.event == "webrtc-offer" && offer.payload["offer"]?.text == sdp)
        #expect(offer.payload["from"]?.stringValue == "@alice:hs")
        #expect(offer.payload["fromDevice"]?.stringValue == "default")
        try await node.send(id, "bob", .candidate, "null", to: "alice")
        let candidate = try #require(alice.take().first)
        #expect(candidate.payload["candidate"]?.isNull == true)

        _ = try await node.service.toggleAudio(id, enabled: false, session: "b1", by: Node.identity("bob"))
        #expect(
            alice.take().map(\.payload.text) == [
                #"{"callId":"\#(id.rawValue)","seq":7,"userId":"@bob:hs","enabled":false}"#
            ]
        )

        let ended = try await node.service.end(id, reason: nil, by: Node.identity("alice"))
        #expect(ended.endReason == .hangup)
        for socket in [alice, bob] {
            let heard = socket.take()
            #expect(heard.map(\.event) == ["call-ended"])
            #expect(heard.first?.payload["by"]?.stringValue == "@alice:hs")
            #expect(heard.first?.payload["call"]?.text == ended.json.text)
        }
        #expect(mallory.take().isEmpty)
        let audit = try await fixture.audit(node, id)
        #expect(audit.map(\.sequence) == Array(1...ended.sequence))
        #expect(
            audit.map(\.kind.name) == [
                "initiated", "joined", "answered", "joined", "offer", "candidate", "audio-toggled", "ended",
            ]
        )
    }

    @Test("An outsider is refused everything, an unknown call is unknown, and nothing changes")
    func outsiders() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let (id, alice, bob) = try await fixture.activeCall(node)
        let mallory = await node.connect("mallory", "m1")
        let identity = Node.identity("mallory")
        let before = try await node.service.status(id, by: Node.identity("alice"))
        await #expect(throws: CallFailure.forbidden) { try await node.service.status(id, by: identity) }
        await #expect(throws: CallFailure.forbidden) { try await node.answer(id, "mallory") }
        await #expect(throws: CallFailure.forbidden) { try await node.join(id, "mallory", mallory) }
        await #expect(throws: CallFailure.forbidden) { try await node.service.end(id, reason: nil, by: identity) }
        await #expect(throws: CallFailure.forbidden) { try await node.send(id, "mallory", .candidate, "null") }
        await #expect(throws: CallFailure.forbidden) {
            try await node.service.events(id, cursor: nil, limit: nil, by: identity)
        }
        let unknown = try #require(CallID("unknown"))
        await #expect(throws: CallFailure.callNotFound) { try await node.answer(unknown, "alice") }
        await #expect(throws: CallFailure.callNotFound) {
            try await node.service.status(unknown, by: Node.identity("alice"))
        }
        #expect(try await node.service.status(id, by: Node.identity("alice")) == before)
        #expect(alice.take().isEmpty && bob.take().isEmpty && mallory.take().isEmpty)
    }

    @Test("Initiating while the room rings for you answers; anybody else hears which call there is")
    func glare() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let first = try await node.initiate("alice", ["bob"]).call
        let answer = try await node.initiate("bob", ["alice"], offer: "{}")
        #expect(!answer.isNew && answer.call.id == first.id && answer.call.state == .connecting)
        for user in ["alice", "bob", "carol"] {
            await #expect { try await node.initiate(user, ["dave"]) } throws: { error in
                guard case .callExists(let call) = error as? CallFailure else { return false }
                return call.id == first.id
            }
        }
        _ = try await node.service.end(first.id, reason: nil, by: Node.identity("bob"))
        #expect(try await node.initiate("carol", ["dave"]).isNew)
    }

    @Test("Initiating in a room that rings for the user is answering, also where it has too many members to ring")
    func answerByInitiatingInALargeRoom() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node(policy: CallPolicy(maximumParticipants: 2))
        for user in ["alice", "bob", "carol", "dave"] {
            _ = await node.connect(user, user, rooms: ["!room"])
        }
        let wish = CallInitiation(roomID: "!room")
        await #expect(throws: CallFailure.nameInvitees(limit: 2)) {
            try await node.service.initiate(wish, device: nil, by: Node.identity("bob"))
        }
        let first = try await node.initiate("alice", ["bob"]).call
        let answer = try await node.service.initiate(wish, device: nil, by: Node.identity("bob"))
        #expect(!answer.isNew && answer.call.id == first.id && answer.call.state == .connecting)
    }

    @Test("A socket that connects while it rings is told once, and its user rings")
    func ringOnConnect() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let id = try await node.initiate("alice", ["bob"]).call.id
        #expect(try await node.service.status(id, by: Node.identity("bob")).participant("@bob:hs")?.state == .invited)
        let phone = await node.connect("bob", "b1")
        let tablet = await node.connect("bob", "b2")
        #expect(phone.takeNames() == ["call-incoming"] && tablet.takeNames() == ["call-incoming"])
        #expect(try await node.service.status(id, by: Node.identity("bob")).participant("@bob:hs")?.state == .ringing)
        _ = try await node.answer(id, "bob", device: "phone")
        #expect(tablet.takeNames() == ["call-answered"])
        #expect(await node.connect("bob", "b3").take().isEmpty)
    }

    @Test("Members of a dev room are its connected users; they ring, and changes are told once")
    func rooms() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let alice = await node.connect("alice", "a1", rooms: ["!room"])
        let bob = await node.connect("bob", "b1", rooms: ["!room", "!other"])
        #expect(
            alice.take().map(\.payload.text) == [
                #"{"roomId":"!room","members":["@alice:hs"]}"#,
                #"{"roomId":"!room","members":["@alice:hs","@bob:hs"]}"#,
            ]
        )
        let second = await node.connect("bob", "b2", rooms: ["!room"])
        #expect(alice.take().isEmpty)
        #expect(second.take().map(\.event) == ["room-members"])
        let wish = CallInitiation(roomID: "!room")
        let call = try await node.service.initiate(wish, device: nil, by: Node.identity("alice")).call
        #expect(call.participants.map(\.userID) == ["@alice:hs", "@bob:hs"])
        _ = (bob.take(), second.take())
        await node.service.disconnected("b1")
        #expect(alice.take().isEmpty)
        await node.service.disconnected("b2")
        #expect(alice.take().map(\.payload.text) == [#"{"roomId":"!room","members":["@alice:hs"]}"#])
    }

    @Test("Lists page through a user's calls and a call's history")
    func lists() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let (id, _, _) = try await fixture.activeCall(node)
        let identity = Node.identity("bob")
        #expect(try await node.service.activeCalls(by: identity).map(\.id) == [id])
        _ = try await node.service.end(id, reason: nil, by: identity)
        #expect(try await node.service.activeCalls(by: identity).isEmpty)
        let history = try await node.service.history(cursor: nil, limit: 1, by: identity)
        #expect(history.items.count == 1 && history.nextCursor == nil)
        var kinds: [String] = []
        var cursor: String?
        repeat {
            let page = try await node.service.events(id, cursor: cursor, limit: 2, by: identity)
            kinds += page.items.compactMap { $0["kind"]?.stringValue }
            cursor = page.nextCursor
        } while cursor != nil
        #expect(kinds == ["initiated", "joined", "answered", "joined", "ended"])
        for broken in ["", "-1", "é", "x.y.z"] {
            await #expect(throws: CallFailure.self) {
                try await node.service.events(id, cursor: broken, limit: nil, by: identity)
            }
            await #expect(throws: CallFailure.self) {
                try await node.service.history(cursor: broken, limit: nil, by: identity)
            }
        }
    }

    @Test("A call that nobody can answer rings and is missed")
    func nobody() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let alice = await node.connect("alice", "a1", rooms: ["!room"])
        let wish = CallInitiation(roomID: "!room")
        let id = try await node.service.initiate(wish, device: nil, by: Node.identity("alice")).call.id
        fixture.clock.advance(60_000)
        await node.service.sweep()
        #expect(alice.takeNames() == ["room-members", "call-ended"])
        #expect(try await node.service.status(id, by: Node.identity("alice")).endReason == .missed)
    }
}
