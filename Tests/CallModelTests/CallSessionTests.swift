import CallModel
import Testing

@Suite("Sockets in a call")
struct CallSessionTests {
    @Test("Two joined sockets make a call active")
    func active() throws {
        var scenario = try CallScenario()
        try scenario.act(.join(after: nil), "alice", session: "a1")
        #expect(throws: CallFailure.notAnswered) { try scenario.act(.join(after: nil), "bob", session: "b1") }
        try scenario.act(.answer(description: nil), "bob", device: "B")
        #expect(scenario.call.state == .connecting)
        #expect(scenario.call.connectDeadline == scenario.now.advanced(byMilliseconds: 30_000))
        #expect(try scenario.act(.join(after: nil), "bob", session: "b1") == [.joined])
        #expect(scenario.call.state == .active)
        #expect(scenario.call.nextDeadline == nil)
        #expect(scenario.wait(1_000_000).isEmpty)
    }

    @Test("A newer socket of the device replaces the older, whose loss then means nothing")
    func replaced() throws {
        var scenario = try CallScenario.connected()
        #expect(try scenario.act(.join(after: nil), "bob", device: "B", session: "b2") == [.joined])
        #expect(try scenario.act(.disconnect, "bob", session: "b1").isEmpty)
        #expect(throws: CallFailure.notJoined) { try scenario.act(.toggleAudio(false), "bob", session: "b1") }
        #expect(throws: CallFailure.notJoined) { try scenario.act(.leave, "bob", session: "b1") }
        #expect(scenario.state("bob") == .joined)
        #expect(throws: CallFailure.answeredElsewhere) {
            try scenario.act(.join(after: nil), "bob", device: "B2", session: "b3")
        }
    }

    @Test("A lost socket has its time of grace, and resuming ends it without a word to the others")
    func grace() throws {
        var scenario = try CallScenario.connected()
        let last = scenario.call.sequence
        #expect(try scenario.act(.disconnect, "bob", session: "b1") == [.disconnected])
        #expect(scenario.state("bob") == .reconnecting)
        #expect(scenario.wait(29_999).isEmpty)
        #expect(try scenario.act(.join(after: last), "bob", session: "b2") == [.resumed])
        #expect(scenario.state("bob") == .joined)
        #expect(scenario.wait(100_000).isEmpty)
        #expect(CallEventKind.resumed.scope == nil)
    }

    @Test("In a group whoever answers and joins by no socket in time loses the place, and does not keep the room")
    func socketless() throws {
        var scenario = try CallScenario.connected(group: true, invitees: ["@bob:hs", "@carol:hs", "@dave:hs"])
        try scenario.act(.answer(description: nil), "carol", device: "C")
        scenario.wait(10_000)
        try scenario.act(.answer(description: nil), "dave", device: "D")
        #expect(scenario.wait(19_999).isEmpty)
        #expect(scenario.wait(1) == [.left])
        #expect(scenario.state("carol") == .left && scenario.state("dave") == .joined)
        try scenario.act(.join(after: nil), "dave", device: "D", session: "d1")
        #expect(scenario.call.nextDeadline == nil)
        try scenario.act(.answer(description: nil), "carol", device: "C")
        for user in ["alice", "bob", "dave"] { try scenario.act(.leave, user) }
        #expect(scenario.call.state == .active)
        #expect(scenario.wait(30_000) == [.left, .ended(.left)])
    }

    @Test("Under a longer timeout a place that no socket joined is kept longer, and the deadline moves")
    func longerTimeout() throws {
        var scenario = try CallScenario.connected(group: true, invitees: ["@bob:hs", "@carol:hs"])
        try scenario.act(.answer(description: nil), "carol")
        let answered = scenario.now
        scenario.policy.connectTimeout = 40_000
        #expect(scenario.wait(30_000).isEmpty)
        #expect(scenario.call.nextDeadline == answered.advanced(byMilliseconds: 40_000))
        #expect(scenario.wait(10_000) == [.left])
    }

    @Test("The creator of a group call, too, joins by a socket in time, counted from the first answer")
    func socketlessCreator() throws {
        var scenario = try CallScenario(invitees: ["@bob:hs", "@carol:hs"], group: true)
        scenario.wait(40_000)
        for user in ["bob", "carol"] {
            try scenario.act(.answer(description: nil), user, device: user)
            try scenario.act(.join(after: nil), user, session: user)
        }
        #expect(scenario.call.state == .active)
        #expect(scenario.wait(29_999).isEmpty)
        #expect(scenario.wait(1) == [.left])
        #expect(scenario.state("alice") == .left && scenario.call.state == .active)
    }

    @Test("A resume from the future is refused and changes nothing")
    func resumeFromTheFuture() throws {
        var scenario = try CallScenario.connected()
        let future = scenario.call.sequence + 1
        #expect(throws: CallFailure.self) { try scenario.act(.join(after: future), "bob", session: "b2") }
        #expect(try scenario.act(.join(after: future - 1), "bob", session: "b2") == [.resumed])
    }

    @Test("Whoever joined later is polite, on both sides the same, and a resume changes no role")
    func roles() throws {
        var scenario = try CallScenario.connected()
        func roles(_ user: String) -> [Bool] { scenario.call.peers(of: user).map(\.polite) }
        #expect(roles("@alice:hs") == [false])
        #expect(roles("@bob:hs") == [true])
        try scenario.act(.disconnect, "alice", session: "a1")
        try scenario.act(.join(after: scenario.call.sequence), "alice", session: "a2")
        #expect(roles("@alice:hs") == [false])
        try scenario.act(.join(after: nil), "alice", session: "a3")
        #expect(roles("@alice:hs") == [true])
        #expect(roles("@bob:hs") == [false])
    }

    @Test("Toggles and media state are remembered and told, a toggle that changes nothing too; a call type sticks")
    func media() throws {
        var scenario = try CallScenario.connected()
        #expect(try scenario.act(.toggleAudio(true), "bob", session: "b1") == [.audioToggled(enabled: true)])
        #expect(try scenario.act(.toggleAudio(false), "bob") == [.audioToggled(enabled: false)])
        #expect(try scenario.act(.toggleVideo(false), "bob") == [.videoToggled(enabled: false)])
        let state = MediaState(onHold: true, callType: .voice)
        #expect(try scenario.act(.changeMedia(state), "alice") == [.mediaState(state)])
        #expect(scenario.call.callType == .voice)
        #expect(throws: CallFailure.self) { try scenario.act(.changeMedia(MediaState()), "alice") }
        #expect(throws: CallFailure.notAnswered) {
            var ringing = try CallScenario()
            try ringing.act(.toggleAudio(false), "bob")
        }
    }

    @Test("Signals go from joined participants to others of the call, and say whether a socket took them")
    func signals() throws {
        var scenario = try CallScenario()
        let offer = Signal(kind: .offer, to: nil, payload: "{}")
        #expect(try scenario.act(.signal([offer]), "alice") == [.signal(offer)])
        #expect(!scenario.call.delivers(offer, from: "@alice:hs"))
        #expect(throws: CallFailure.notAnswered) { try scenario.act(.signal([offer]), "bob") }
        try scenario.act(.answer(description: Signal(kind: .answer, to: nil, payload: "{}")), "bob")
        try scenario.act(.join(after: nil), "bob", session: "b1")
        #expect(scenario.call.delivers(offer, from: "@alice:hs"))
        for recipient in ["@alice:hs", "@nobody:hs"] {
            let signal = Signal(kind: .candidate, to: recipient, payload: "null")
            #expect(throws: CallFailure.unknownRecipient) { try scenario.act(.signal([signal]), "alice") }
        }
    }
}
