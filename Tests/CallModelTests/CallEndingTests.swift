import CallModel
import Testing

@Suite("How calls end")
struct CallEndingTests {
    struct Ending: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let reason: EndReason
        let by: String?
        let play: @Sendable (inout CallScenario) throws -> Void
    }

    static let endings: [Ending] = [
        Ending(testDescription: "the creator gives up", reason: .cancelled, by: "@alice:hs") {
            try $0.act(.end(nil), "alice")
        },
        Ending(testDescription: "the creator rejects its own call", reason: .cancelled, by: "@alice:hs") {
            try $0.act(.reject(nil), "alice")
        },
        Ending(testDescription: "the creator leaves while it rings", reason: .cancelled, by: "@alice:hs") {
            try $0.act(.leave, "alice")
        },
        Ending(testDescription: "the callee rejects", reason: .rejected, by: "@bob:hs") {
            try $0.act(.reject(nil), "bob")
        },
        Ending(testDescription: "the callee ends while it rings", reason: .rejected, by: "@bob:hs") {
            try $0.act(.end(nil), "bob")
        },
        Ending(testDescription: "the callee is busy", reason: .busy, by: "@bob:hs") {
            try $0.act(.reject(.busy), "bob")
        },
        Ending(testDescription: "nobody answers", reason: .missed, by: nil) { $0.wait(60_000) },
        Ending(testDescription: "one side hangs up", reason: .hangup, by: "@bob:hs") {
            try $0.act(.answer(description: nil), "bob")
            try $0.act(.end(nil), "bob")
        },
        Ending(testDescription: "one side leaves", reason: .left, by: "@bob:hs") {
            try $0.act(.answer(description: nil), "bob")
            try $0.act(.leave, "bob")
        },
        Ending(testDescription: "the sockets do not join in time", reason: .failed, by: nil) {
            try $0.act(.answer(description: nil), "bob")
            $0.wait(30_000)
        },
        Ending(testDescription: "a client gives up on its connection", reason: .failed, by: "@alice:hs") {
            try $0.act(.answer(description: nil), "bob")
            try $0.act(.end(.failed), "alice")
        },
        Ending(testDescription: "a lost socket does not come back", reason: .left, by: "@bob:hs") {
            try $0.act(.join(after: nil), "alice", session: "a1")
            try $0.act(.answer(description: nil), "bob")
            try $0.act(.join(after: nil), "bob", session: "b1")
            try $0.act(.disconnect, "bob", session: "b1")
            $0.wait(30_000)
        },
        Ending(testDescription: "the creator's socket does not come back", reason: .cancelled, by: "@alice:hs") {
            try $0.act(.join(after: nil), "alice", session: "a1")
            try $0.act(.disconnect, "alice", session: "a1")
            $0.wait(30_000)
        },
    ]

    @Test("Every way to end a 1:1 call has its reason", arguments: endings)
    func ending(_ ending: Ending) throws {
        var scenario = try CallScenario()
        try ending.play(&scenario)
        #expect(scenario.call.state == .ended)
        #expect(scenario.call.endReason == ending.reason)
        #expect(scenario.call.endedBy == ending.by)
        #expect(scenario.call.endedAt == scenario.now)
        #expect(scenario.events.last?.kind == .ended(ending.reason))
        #expect(scenario.events.map(\.sequence) == Array(1...scenario.call.sequence))
        #expect(!scenario.call.participants.contains { $0.state.isPresent || $0.state.isRinging || $0.session != nil })
        #expect(scenario.call.nextDeadline == scenario.now.advanced(byMilliseconds: 60_000))
    }

    @Test("An ended call changes no more, and answers idempotent acts as before")
    func endedIsFinal() throws {
        var scenario = try CallScenario()
        try scenario.act(.end(nil), "alice")
        let ended = scenario.call
        for action in [CallAction.end(nil), .reject(nil), .leave, .disconnect, .ring] {
            #expect(try scenario.act(action, "bob").isEmpty)
        }
        for action in [CallAction.answer(description: nil), .join(after: nil), .toggleAudio(false), .signal([])] {
            #expect(throws: CallFailure.callEnded(ended)) { try scenario.act(action, "bob", session: "b1") }
        }
        #expect(scenario.call == ended)
    }

    @Test("A minute after the end the signals go, once")
    func purge() throws {
        var scenario = try CallScenario()
        try scenario.act(.end(nil), "alice")
        let early = scenario.call.advanced(to: scenario.now.advanced(byMilliseconds: 59_999), policy: scenario.policy)
        #expect(!early.isChange && !early.purgesSignals)
        let due = scenario.call.advanced(to: scenario.now.advanced(byMilliseconds: 60_000), policy: scenario.policy)
        #expect(due.isChange && due.purgesSignals && due.events.isEmpty)
        #expect(due.call.nextDeadline == nil)
    }

    @Test("Deadlines are met, not anticipated")
    func deadlines() throws {
        var scenario = try CallScenario()
        #expect(scenario.wait(59_999).isEmpty)
        #expect(scenario.call.state == .ringing)
        #expect(scenario.wait(1) == [.missed, .ended(.missed)])
        #expect(scenario.state("bob") == .missed)
    }

    @Test("In a group the creator's end ends it for all, anybody else's is leaving, the last leave ends it")
    func groupEndings() throws {
        var scenario = try CallScenario.connected(group: true, invitees: ["@bob:hs", "@carol:hs"])
        try scenario.act(.answer(description: nil), "carol")
        #expect(try scenario.act(.end(nil), "bob") == [.left])
        #expect(scenario.call.state == .active)
        var other = scenario
        #expect(try other.act(.end(nil), "alice") == [.ended(.hangup)])
        #expect(try scenario.act(.leave, "alice", session: "a1") == [.left])
        #expect(scenario.call.state == .active)
        other = scenario
        #expect(try other.act(.end(nil), "alice") == [.ended(.hangup)], "not in it any more, and still its creator")
        #expect(try scenario.act(.leave, "carol") == [.left, .ended(.left)])
        #expect(scenario.call.endedBy == "@carol:hs")
    }

    @Test("In a group whoever does not answer misses it, and may still come later")
    func groupMissed() throws {
        var scenario = try CallScenario.connected(group: true, invitees: ["@bob:hs", "@carol:hs"])
        #expect(scenario.wait(60_000) == [.missed])
        #expect(scenario.state("carol") == .missed)
        #expect(scenario.call.state == .active)
        #expect(try scenario.act(.answer(description: nil), "carol") == [.answered])
    }

    @Test("What comes too late or from the wrong side is a success that changes nothing")
    func nothing() throws {
        var ringing = try CallScenario()
        #expect(try ringing.act(.leave, "bob").isEmpty)
        var answered = try CallScenario.connected(invitees: ["@bob:hs", "@carol:hs"])
        for action in [CallAction.end(nil), .reject(nil), .leave] {
            #expect(try answered.act(action, "carol").isEmpty)
        }
        for user in ["alice", "bob"] { #expect(try answered.act(.reject(nil), user).isEmpty) }
        #expect(answered.call.state == .active)
    }

    @Test("In a group that was answered, whoever it still rings for may say no without ending it")
    func groupRefusal() throws {
        for action in [CallAction.end(.busy), .reject(nil)] {
            var scenario = try CallScenario.connected(group: true, invitees: ["@bob:hs", "@carol:hs"])
            #expect(scenario.call.ringDeadline != nil)
            #expect(try scenario.act(action, "carol") == [.rejected])
            #expect(scenario.call.state == .active && scenario.state("carol") == .rejected)
            #expect(scenario.call.ringDeadline == nil)
            #expect(try scenario.act(.answer(description: nil), "carol") == [.answered])
        }
    }
}
