import CallModel
import SocketIO
import Testing

@testable import RoomEvents

@Suite("What a room is told of a call")
struct CallRoomEventsTests {
    private static let policy = CallPolicy()
    private static let now = Timestamp(milliseconds: 1_800_000_000_000)
    private static let alice = Actor(userID: "@alice:hs", deviceID: "A")
    private static let bob = Actor(userID: "@bob:hs", deviceID: "B")
    private static let offer = Signal(
        kind: .offer,
        to: nil,
        payload: JSONText.object([("type", "offer"), ("sdp", .string(browserOffer))]).text
    )

    /// A call as it goes, and what its room was told so far.
    private struct Story {
        var transition: CallTransition
        var told: [RoomEvent]

        var call: Call { transition.call }

        mutating func then(_ action: CallAction, by actor: Actor, after milliseconds: Int64 = 0) throws {
            let time = now.advanced(byMilliseconds: milliseconds)
            transition = try call.applying(action, by: actor, now: time, policy: policy)
            tell()
        }

        mutating func wait(_ milliseconds: Int64) {
            transition = call.advanced(to: now.advanced(byMilliseconds: milliseconds), policy: policy)
            tell()
        }

        mutating func tell(_ announcement: RoomAnnouncement = .withoutOffer) {
            var generator = SystemRandomNumberGenerator()
            told += transition.roomEvents(announcement, policy: policy, using: &generator)
        }

        var lines: [String] { told.map { "\($0.type.replacing("m.call.", with: "")) \($0.sender)" } }

        func content(_ type: String) throws -> JSONText {
            let event = try #require(told.first { $0.type == type })
            return try JSONText(validating: event.content)
        }
    }

    private static func begin(
        _ announcement: RoomAnnouncement = .withOffer,
        callType: CallType = .voice,
        isGroup: Bool = false,
        audience: [UserID] = ["@bob:hs"],
        offer: Signal? = nil
    ) throws -> Story {
        let initiation = CallInitiation(roomID: "!r:hs", callType: callType, isGroup: isGroup, offer: offer)
        let id = try #require(CallID("abcdefghijklmnopqrstuvwx"))
        let transition = try initiation.begin(
            id: id,
            by: alice,
            audience: audience,
            reachable: [],
            now: now,
            policy: policy
        )
        var story = Story(transition: transition, told: [])
        story.tell(announcement)
        return story
    }

    @Test("an invite has what clients need to ring, and rings for nobody else")
    func invite() throws {
        let story = try Self.begin(offer: Self.offer)
        #expect(story.lines == ["invite @alice:hs"])
        let content = try story.content("m.call.invite")
        #expect(content["version"]?.stringValue == "1" && content["call_id"]?.stringValue == story.call.id.rawValue)
        #expect(content["invitee"]?.stringValue == "@bob:hs")
        #expect(content["lifetime"]?.integerValue == Int(Self.policy.ringTimeout))
        #expect(content["offer"]?["type"]?.stringValue == "offer")
        #expect(content["offer"]?["sdp"]?.stringValue == SessionDescription(browserOffer)?.text)
        for key in ["sdp_stream_metadata", "org.matrix.msc3077.sdp_stream_metadata"] {
            let stream = content[key]?["stream-1"]
            #expect(stream?["purpose"]?.stringValue == "m.usermedia" && stream?["audio_muted"]?.booleanValue == false)
            #expect(stream?["video_muted"]?.booleanValue == true, "a voice call opens no camera")
        }
        #expect(content["conf_id"] == nil)
        let identifier = /[0-9A-Za-z\-._~]{8,255}/
        for key in ["call_id", "party_id"] { #expect(content[key]?.stringValue?.wholeMatch(of: identifier) != nil) }
        let event = try #require(story.told.first)
        #expect(event.expiresAt == Self.now.advanced(byMilliseconds: Self.policy.ringTimeout))
        #expect(event.sequence == 1 && event.part == 0)
    }

    @Test("a client that says it itself is given what the room is told otherwise, with an offer that nobody made")
    func invitation() throws {
        for isGroup in [false, true] {
            let story = try Self.begin(.byClient, isGroup: isGroup, offer: Self.offer)
            let told = try #require(story.told.first)
            var generator = SystemRandomNumberGenerator()
            let given = story.call.invitation(policy: Self.policy, using: &generator)
            #expect((given.type, given.transactionID) == (told.type, told.transactionID))
            let (own, other) = try (JSONText(validating: given.content), JSONText(validating: told.content))
            #expect(own.members(limit: 20)?.map(\.name) == other.members(limit: 20)?.map(\.name))
            #expect(!given.content.contains("AA:BB"))
            #expect(own["offer"] == nil || own["offer"]?["sdp"]?.stringValue != other["offer"]?["sdp"]?.stringValue)
        }
    }

    @Test("a call with video says so; without an offer, or where none may be told, the offer is nobody's")
    func offers() throws {
        let video = try Self.begin(callType: .video, offer: Self.offer).content("m.call.invite")
        #expect(video["sdp_stream_metadata"]?["stream-1"]?["video_muted"]?.booleanValue == false)
        for (announcement, offer) in [(.withOffer, nil), (.withoutOffer, Self.offer)] as [(RoomAnnouncement, Signal?)] {
            let content = try Self.begin(announcement, callType: .video, offer: offer).content("m.call.invite")
            let sdp = try #require(content["offer"]?["sdp"]?.stringValue)
            #expect(sdp.contains("m=audio") && sdp.contains("m=video") && !sdp.contains("AA:BB"))
            let streams = try #require(content["sdp_stream_metadata"]?.members())
            #expect(streams.count == 1 && sdp.contains("a=msid:\(streams[0].name) "))
        }
        let garbage = Signal(kind: .offer, to: nil, payload: #"{"type":"offer","sdp":"v=0\r\n"}"#)
        let content = try Self.begin(offer: garbage).content("m.call.invite")
        #expect(content["offer"]?["sdp"]?.stringValue?.contains("m=audio") == true)
        #expect(try Self.begin(.none, offer: Self.offer).told.isEmpty)
    }

    @Test("an answer is told by the caller's choice, the end by whoever hung up, each with its own side's id")
    func answered() throws {
        var story = try Self.begin()
        try story.then(.answer(description: nil), by: Self.bob)
        try story.then(.join(after: nil), by: Actor(userID: "@alice:hs", deviceID: "A", session: "n.1"))
        try story.then(.toggleAudio(false), by: Self.bob)
        try story.then(.end(nil), by: Self.bob)
        #expect(story.lines == ["invite @alice:hs", "select_answer @alice:hs", "hangup @bob:hs"])
        let caller = try story.content("m.call.invite")["party_id"]?.stringValue
        let choice = try story.content("m.call.select_answer")
        let hangup = try story.content("m.call.hangup")
        #expect(choice["party_id"]?.stringValue == caller && caller != nil)
        #expect(choice["selected_party_id"]?.stringValue == hangup["party_id"]?.stringValue)
        #expect(hangup["party_id"]?.stringValue != caller)
        #expect(hangup["reason"]?.stringValue == "user_hangup")
        #expect(Set(story.told.map(\.transactionID)).count == 3)
    }

    @Test("a refusal is the callee's, and the caller's hangup silences the callee's other devices")
    func rejected() throws {
        for (reason, said) in [(nil, "user_hangup"), (.busy, "user_busy")] as [(EndReason?, String)] {
            var story = try Self.begin()
            try story.then(.reject(reason), by: Self.bob)
            #expect(story.lines == ["invite @alice:hs", "reject @bob:hs", "hangup @alice:hs"])
            let hangup = try story.content("m.call.hangup")
            let caller = try story.content("m.call.invite")["party_id"]?.stringValue
            #expect(hangup["reason"]?.stringValue == said)
            #expect(hangup["party_id"]?.stringValue == caller)
        }
    }

    @Test("whatever ends a call that nobody took is told by the caller")
    func unanswered() throws {
        var cancelled = try Self.begin()
        try cancelled.then(.end(nil), by: Self.alice)
        var missed = try Self.begin()
        missed.wait(Self.policy.ringTimeout)
        for (story, reason) in [(cancelled, "user_hangup"), (missed, "invite_timeout")] {
            #expect(story.lines == ["invite @alice:hs", "hangup @alice:hs"])
            #expect(try story.content("m.call.hangup")["reason"]?.stringValue == reason)
        }
    }

    @Test("an answered call that never came about has failed")
    func failed() throws {
        var story = try Self.begin()
        try story.then(.answer(description: nil), by: Self.bob)
        story.wait(Self.policy.connectTimeout)
        #expect(story.lines == ["invite @alice:hs", "select_answer @alice:hs", "hangup @alice:hs"])
        #expect(try story.content("m.call.hangup")["reason"]?.stringValue == "ice_failed")
    }

    @Test("a call of more than two is one line of text")
    func groups() throws {
        for isGroup in [true, false] {
            var story = try Self.begin(callType: .video, isGroup: isGroup, audience: ["@bob:hs", "@carol:hs"])
            #expect(story.told.map(\.type) == ["m.room.message"])
            let content = try story.content("m.room.message")
            #expect(content["msgtype"]?.stringValue == "m.notice")
            #expect(content["body"]?.stringValue == "Started a video call.")
            try story.then(.answer(description: nil), by: Self.bob)
            try story.then(.end(nil), by: Self.alice)
            #expect(story.told.count == 1)
        }
    }

    @Test("no event of a story is told twice, whatever its order")
    func once() throws {
        var generator = Noise(state: 3)
        let actions: [CallAction] = [
            .ring, .answer(description: nil), .reject(nil), .end(nil), .leave, .reject(.busy), .end(.failed),
        ]
        for _ in 0..<500 {
            var story = try Self.begin()
            for _ in 0..<8 {
                let actor = Bool.random(using: &generator) ? Self.alice : Self.bob
                let action = actions.randomElement(using: &generator) ?? .ring
                if Int.random(in: 0..<6, using: &generator) == 0 { story.wait(Self.policy.ringTimeout) }
                // Whatever the state machine refuses is told nobody.
                try? story.then(action, by: actor)
            }
            #expect(Set(story.told.map(\.transactionID)).count == story.told.count, "\(story.lines)")
            #expect(Set(story.told.map { [$0.sequence, Int64($0.part)] }).count == story.told.count)
            #expect(story.told.first?.type == RoomEvent.inviteType)
            #expect(story.told.count { $0.type == "m.call.hangup" } == (story.call.state == .ended ? 1 : 0))
        }
    }
}
