import CallModel
import SocketIO
import Testing

@testable import RoomEvents

@Suite("Calls whose callee takes part in the room")
struct BridgedCallTests {
    private static let policy = CallPolicy()
    private static let now = Timestamp(milliseconds: 1_800_000_000_000)
    private static let alice = Actor(userID: "@alice:hs", deviceID: "A", session: "n.1")
    private static let bob = Actor(userID: "@bob:hs", deviceID: "room/Q+/=", session: "room/Q+/=")

    private static func signal(_ kind: SignalKind, _ payload: JSONText) -> CallAction {
        .signal([Signal(kind: kind, to: nil, payload: payload.text)])
    }

    private static func candidate(_ line: String) -> JSONText {
        .object([("candidate", .string(line)), ("sdpMid", "0"), ("sdpMLineIndex", 0), ("usernameFragment", "x")])
    }

    /// What the room is told of `actions`, one after the other, after Bob answered there.
    private func told(_ actions: [(CallAction, Actor)], streams: [SessionDescription.Stream] = []) throws -> [RoomEvent]
    {
        let id = try #require(CallID("abcdefghijklmnopqrstuvwx"))
        let initiation = CallInitiation(roomID: "!r:hs", callType: .video)
        var transition = try initiation.begin(
            id: id,
            by: Self.alice,
            audience: ["@bob:hs"],
            reachable: [],
            now: Self.now,
            policy: Self.policy
        )
        var told: [RoomEvent] = []
        var generator = SystemRandomNumberGenerator()
        let begun: [(CallAction, Actor)] = [
            (.join(after: nil), Self.alice), (.answer(description: nil), Self.bob), (.join(after: nil), Self.bob),
        ]
        for (action, actor) in begun + actions {
            transition = try transition.call.applying(action, by: actor, now: Self.now, policy: Self.policy)
            told += transition.roomEvents(
                .withoutOffer,
                policy: Self.policy,
                streams: { $0 == "@alice:hs" ? streams : [] },
                using: &generator
            )
        }
        return told
    }

    @Test("the caller says which of the callee's devices took it")
    func answered() throws {
        let events = try told([])
        #expect(events.map(\.type) == ["m.call.select_answer"])
        let content = try JSONText(validating: events[0].content)
        #expect(events[0].sender == "@alice:hs" && content["selected_party_id"]?.stringValue == "Q+/=")
    }

    @Test("the caller's descriptions go into the room, without addresses")
    func negotiate() throws {
        for kind in [SignalKind.offer, .answer] {
            let payload = JSONText.object([
                ("type", .string(kind.rawValue)), ("sdp", .string(browserOffer)), ("session", "ours"),
            ])
            let events = try told([(Self.signal(kind, payload), Self.alice)])
            #expect(events.map(\.type) == ["m.call.select_answer", "m.call.negotiate"])
            let content = try JSONText(validating: events[1].content)
            #expect(content["description"]?["type"]?.stringValue == kind.rawValue)
            #expect(content["description"]?["sdp"]?.stringValue == SessionDescription(browserOffer)?.text)
            #expect(content["description"]?["session"] == nil)
            #expect(content["sdp_stream_metadata"]?["stream-1"]?["video_muted"]?.booleanValue == false)
            #expect(content["lifetime"]?.integerValue == 60_000)
        }
    }

    @Test("of candidates relayed ones go into the room, and their end")
    func candidates() throws {
        let lines = [
            "candidate:1 1 udp 1 192.0.2.1 5 typ host",
            "candidate:2 1 udp 1 198.51.100.1 5 typ srflx raddr 192.0.2.1 rport 5",
            "candidate:3 1 udp 1 203.0.113.1 5 typ relay raddr 198.51.100.1 rport 5 generation 0", "",
        ]
        let events = try told(lines.map { (Self.signal(.candidate, Self.candidate($0)), Self.alice) })
        #expect(events.map(\.type) == ["m.call.select_answer", "m.call.candidates", "m.call.candidates"])
        let first = try JSONText(validating: events[1].content)["candidates"]?.elements()?.first
        // Where it was gathered from is nobody's to keep.
        let relayed = "candidate:3 1 udp 1 203.0.113.1 5 typ relay raddr 0.0.0.0 rport 0 generation 0"
        #expect(first?["candidate"]?.stringValue == relayed && first?["sdpMid"]?.stringValue == "0")
        #expect(try JSONText(validating: events[2].content)["candidates"]?.elements()?.first?["candidate"] == "")
        #expect(Set(events.map(\.transactionID)).count == 3)
        #expect(
            try told([(Self.signal(.candidate, .null), Self.alice), (Self.signal(.candidate, ""), Self.alice)]).count
                == 3
        )
    }

    @Test("a mute names the caller's streams; without any there is nothing to say")
    func muted() throws {
        let mute: [(CallAction, Actor)] = [(.toggleAudio(false), Self.alice), (.toggleVideo(false), Self.alice)]
        #expect(try told(mute).count == 1)
        let streams = [SessionDescription.Stream(id: "cam", hasVideo: true), .init(id: "screen", hasVideo: true)]
        let events = try told(mute, streams: streams)
        #expect(events.suffix(2).map(\.type) == Array(repeating: "m.call.sdp_stream_metadata_changed", count: 2))
        let content = try JSONText(validating: events[2].content)["org.matrix.msc3077.sdp_stream_metadata"]
        #expect(content?["cam"]?["purpose"] == "m.usermedia" && content?["screen"]?["purpose"] == "m.screenshare")
        #expect(content?["cam"]?["audio_muted"] == true && content?["cam"]?["video_muted"] == true)
    }

    @Test("nobody says in the callee's name what was said in the room")
    func echoes() throws {
        let payload = JSONText.object([("type", "answer"), ("sdp", .string(browserOffer))])
        let acts: [(CallAction, Actor)] = [
            (Self.signal(.answer, payload), Self.bob),
            (Self.signal(.candidate, Self.candidate("x typ relay")), Self.bob), (.toggleAudio(false), Self.bob),
            (.end(nil), Self.bob),
        ]
        #expect(try told(acts).map(\.type) == ["m.call.select_answer"])
        #expect(try told([(.end(nil), Self.alice)]).map(\.type) == ["m.call.select_answer", "m.call.hangup"])
    }

    @Test("whatever is told with it changes the call's version, so that nothing comes in between")
    func versions() throws {
        let id = try #require(CallID("abcdefghijklmnopqrstuvwx"))
        var transition = try CallInitiation(roomID: "!r:hs").begin(
            id: id,
            by: Self.alice,
            audience: ["@bob:hs"],
            reachable: [],
            now: Self.now,
            policy: Self.policy
        )
        for (action, actor) in [(CallAction.join(after: nil), Self.alice), (.answer(description: nil), Self.bob)] {
            transition = try transition.call.applying(action, by: actor, now: Self.now, policy: Self.policy)
        }
        let act = Self.signal(.candidate, Self.candidate("x typ relay"))
        let passed = try transition.call.applying(act, by: Self.alice, now: Self.now, policy: Self.policy)
        #expect(!passed.onlyAppends && passed.call.version == transition.call.version + 1)
    }
}

@Suite("What clients say in a room")
struct RoomCallEventTests {
    private func read(_ type: String, _ content: String) throws -> RoomCallEvent? {
        RoomCallEvent(type: type, content: try JSONText(validating: content))
    }

    @Test("events are read as the SDKs write them")
    func kinds() throws {
        let base = #""call_id":"c","party_id":"+/=","version":"1""#
        let answer = try #require(
            try read("m.call.answer", #"{\#(base),"answer":{"type":"answer","sdp":"v=0","x":1}}"#)
        )
        guard case .answer(let description) = answer.kind else { throw Missing() }
        #expect(
            description.text == #"{"type":"answer","sdp":"v=0"}"# && answer.partyID == "+/=" && answer.callID == "c"
        )
        let offer = try read("m.call.negotiate", #"{\#(base),"description":{"type":"offer","sdp":"v=0"}}"#)
        guard case .negotiate(.offer, _) = offer?.kind else { throw Missing() }
        let some = #"{\#(base),"candidates":[{"candidate":"a"},{"candidate":""},5,{"sdpMid":"0"}]}"#
        guard case .candidates(let candidates) = try read("m.call.candidates", some)?.kind else { throw Missing() }
        #expect(candidates.count == 2)
        guard case .hangup(reason: "userHangup") = try read("m.call.hangup", #"{\#(base),"reason":"userHangup"}"#)?.kind
        else { throw Missing() }
        let metadata = #"{"s":{"purpose":"m.screenshare"},"t":{"purpose":"m.usermedia","audio_muted":true}}"#
        let muted = try read("m.call.sdp_stream_metadata_changed", #"{\#(base),"sdp_stream_metadata":\#(metadata)}"#)
        guard case .muted(audio: true, video: nil) = muted?.kind else { throw Missing() }
        #expect(try read("m.call.reject", #"{"call_id":"c","version":0}"#)?.isOfVersionZero == true)
        #expect(try read("m.call.reject", #"{"call_id":"c","version":1}"#)?.isOfVersionZero == false)
    }

    private struct Missing: Error {}

    @Test(
        "what says nothing that is understood is none",
        arguments: [
            ("m.call.answer", "{}"), ("m.call.answer", #"{"call_id":"c"}"#),
            ("m.call.answer", #"{"call_id":"c","answer":{"type":"answer"}}"#), ("m.call.reject", #"{"call_id":5}"#),
            ("m.call.negotiate", #"{"call_id":"c","description":{"type":"candidate","sdp":""}}"#),
            ("m.call.candidates", #"{"call_id":"c","candidates":{}}"#),
            ("m.call.candidates", #"{"call_id":"c","candidates":[]}"#),
            ("m.call.sdp_stream_metadata_changed", #"{"call_id":"c"}"#), ("m.call.invite", #"{"call_id":"c"}"#),
            ("m.call.reject", #"{"call_id":"c","party_id":"\#(String(repeating: "x", count: 201))"}"#),
        ]
    )
    func nothing(type: String, content: String) throws {
        #expect(try read(type, content) == nil)
    }
}
