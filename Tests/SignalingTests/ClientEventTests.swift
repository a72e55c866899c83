import CallModel
import Signaling
import SocketIO
import Testing

@Suite("Events that clients send")
struct ClientEventTests {
    func decode(_ name: String, _ json: String...) throws -> ClientEvent? {
        try ClientEvent(name: name, arguments: json.map { try JSONText(validating: $0) })
    }

    @Test("Each event is read with its values as they came; what nobody may say is passed over")
    func good() throws {
        let id = try #require(CallID("c1"))
        #expect(try decode("join-call", #"{"callId":"c1"}"#) == .joinCall(id, device: nil, after: nil))
        #expect(
            try decode("join-call", #"{"callId":"c1","deviceId":"D","afterSeq":7}"#)
                == .joinCall(id, device: "D", after: 7)
        )
        #expect(try decode("join-call", #"{"callId":"c1","afterSeq":null}"#) == .joinCall(id, device: nil, after: nil))
        let offer = #"{"sdp":"a\u00e9\/","type":"offer","x":1.0}"#
        #expect(
            try decode("webrtc-offer", #"{"callId":"c1","from":"@eve","seq":9,"to":"@b","offer": \#(offer)}"#)
                == .signal(id, Signal(kind: .offer, to: "@b", payload: offer))
        )
        for candidate in ["null", #""""#, #"{"candidate":"","sdpMid":null}"#] {
            let event = try decode("ice-candidate", #"{"candidate":\#(candidate),"callId":"c1"}"#)
            #expect(event == .signal(id, Signal(kind: .candidate, to: nil, payload: candidate)))
        }
        #expect(try decode("toggle-video", #"{"callId":"c1","enabled":false}"#) == .toggleVideo(id, enabled: false))
        let state = MediaState(onHold: true, callType: .video)
        #expect(
            try decode("media-state", #"{"callId":"c1","onHold":true,"callType":"video"}"#) == .mediaState(id, state)
        )
        #expect(try decode("leave-call", #"{"callId":"c1"}"#) == .leaveCall(id))
        #expect(try decode("authenticate", #"{"token":"t"}"#) == .authenticate(token: "t"))
        #expect(try decode("no-such-event", "5") == nil)
    }

    @Test(
        "What is wrong is refused as invalid",
        arguments: [
            ("join-call", "null"), ("join-call", "[]"), ("join-call", #"{"callId":5}"#),
            ("join-call", #"{"callId":""}"#),
            ("join-call", #"{"callId":"c1","afterSeq":-1}"#), ("join-call", #"{"callId":"c1","afterSeq":1.5}"#),
            ("join-call", #"{"callId":"c1","afterSeq":1e30}"#), ("join-call", #"{"callId":"c1","deviceId":""}"#),
            ("webrtc-offer", #"{"callId":"c1"}"#), ("webrtc-offer", #"{"callId":"c1","offer":"v=0"}"#),
            ("webrtc-offer", #"{"callId":"c1","offer":{"type":"answer","sdp":""}}"#),
            ("webrtc-offer", #"{"callId":"c1","offer":{"type":"offer","sdp":5}}"#),
            ("webrtc-answer", #"{"callId":"c1","answer":{"type":"offer","sdp":""}}"#),
            ("webrtc-answer", #"{"callId":"c1","to":5,"answer":{"type":"answer","sdp":""}}"#),
            ("ice-candidate", #"{"callId":"c1"}"#), ("ice-candidate", #"{"callId":"c1","candidate":[]}"#),
            ("ice-candidate", #"{"callId":"c1","candidate":5}"#),
            ("ice-candidate", #"{"callId":"c1","candidates":["a"]}"#),
            ("toggle-audio", #"{"callId":"c1","enabled":1}"#), ("media-state", #"{"callId":"c1","onHold":"yes"}"#),
            ("media-state", #"{"callId":"c1","callType":"hologram"}"#), ("authenticate", "{}"),
        ]
    )
    func bad(_ name: String, _ json: String) throws {
        let argument = try JSONText(validating: json)
        #expect { try ClientEvent(name: name, arguments: [argument]) } throws: { error in
            (error as? CallFailure)?.code == "invalid_request"
        }
    }

    @Test("An event takes one argument")
    func argumentCount() throws {
        #expect(throws: CallFailure.self) { try decode("leave-call") }
        #expect(throws: CallFailure.self) { try decode("leave-call", #"{"callId":"c1"}"#, "5") }
    }

    @Test("Sizes end at their limits, not before")
    func sizes() throws {
        func offer(_ bytes: Int) -> String {
            #"{"type":"offer","sdp":""# + String(repeating: "v", count: bytes - 25) + #""}"#
        }
        #expect(try decode("webrtc-offer", #"{"callId":"c1","offer":\#(offer(CallLimits.descriptionSize))}"#) != nil)
        #expect {
            try decode("webrtc-offer", #"{"callId":"c1","offer":\#(offer(CallLimits.descriptionSize + 1))}"#)
        } throws: { ($0 as? CallFailure)?.code == "too_large" }
        func candidate(_ bytes: Int) -> String {
            #"{"callId":"c1","candidate":""# + String(repeating: "c", count: bytes - 2) + #""}"#
        }
        #expect(try decode("ice-candidate", candidate(CallLimits.candidateSize)) != nil)
        #expect { try decode("ice-candidate", candidate(CallLimits.candidateSize + 1)) } throws: {
            ($0 as? CallFailure)?.code == "too_large"
        }
        let body = try RequestBody(
            JSONText(validating: "{\"candidates\":[\(Array(repeating: "null", count: 65).joined(separator: ","))]}")
        )
        #expect { try body.candidates() } throws: { ($0 as? CallFailure)?.code == "too_large" }
        let ids = Array(repeating: "\"@a\"", count: CallLimits.invitees + 1).joined(separator: ",")
        let many = try RequestBody(JSONText(validating: #"{"roomId":"!r","invitees":[\#(ids)]}"#))
        #expect(throws: CallFailure.tooManyInvitees(limit: CallLimits.invitees)) { try many.initiation() }
    }

    @Test(
        "Names that no reader or no database could tell from others are refused",
        arguments: [#""\ud800""#, #""a\u0000b""#, #""""#, "5", "[]"]
    )
    func names(_ name: String) throws {
        let body = try RequestBody(JSONText(validating: #"{"roomId":\#(name),"callId":\#(name),"to":\#(name)}"#))
        #expect(throws: CallFailure.self) { try body.initiation() }
        #expect(throws: CallFailure.self) { try body.callID() }
        #expect(throws: CallFailure.self) { try body.recipient() }
        let invitees = try RequestBody(JSONText(validating: #"{"roomId":"!r","invitees":[\#(name)]}"#))
        #expect(throws: CallFailure.self) { try invitees.initiation() }
    }

    @Test("A body that names another user than the token is refused")
    func otherUser() throws {
        let body = try RequestBody(JSONText(validating: #"{"userId":"@a"}"#))
        try body.requireUser("@a")
        #expect(throws: CallFailure.userMismatch) { try body.requireUser("@b") }
    }
}
