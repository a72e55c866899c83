import CallModel
import Testing

@Suite("Who gets a call")
struct CallAnsweringTests {
    @Test("The first to answer takes a 1:1 call; others, and other devices, are told elsewhere")
    func firstWins() throws {
        var scenario = try CallScenario(invitees: ["@bob:hs", "@carol:hs"])
        #expect(try scenario.act(.answer(description: nil), "bob", device: "B1") == [.answered])
        #expect(scenario.call.state == .connecting)
        #expect(scenario.state("carol") == .missed)
        #expect(throws: CallFailure.answeredElsewhere) { try scenario.act(.answer(description: nil), "carol") }
        #expect(throws: CallFailure.answeredElsewhere) {
            try scenario.act(.answer(description: nil), "bob", device: "B2")
        }
        #expect(throws: CallFailure.answeredElsewhere) { try scenario.act(.join(after: nil), "carol", session: "c") }
        #expect(try scenario.act(.answer(description: nil), "bob", device: "B1").isEmpty)
    }

    @Test("Who lost cannot hang up on who won")
    func losersAreHarmless() throws {
        var scenario = try CallScenario(invitees: ["@bob:hs", "@carol:hs"])
        try scenario.act(.answer(description: nil), "bob")
        #expect(try scenario.act(.end(nil), "carol").isEmpty)
        #expect(try scenario.act(.reject(nil), "carol").isEmpty)
        #expect(try scenario.act(.reject(nil), "bob", device: "B2").isEmpty)
        #expect(scenario.call.state == .connecting)
    }

    @Test("The last to say no ends a call that rings for several")
    func lastRejects() throws {
        var scenario = try CallScenario(invitees: ["@bob:hs", "@carol:hs"])
        #expect(try scenario.act(.reject(nil), "bob") == [.rejected])
        #expect(scenario.call.state == .ringing)
        #expect(try scenario.act(.reject(nil), "carol") == [.rejected, .ended(.rejected)])
        #expect(scenario.call.endedBy == "@carol:hs")
    }

    @Test("A group call takes whoever answers until it is full")
    func full() throws {
        let policy = CallPolicy(maximumParticipants: 3)
        var scenario = try CallScenario(
            invitees: ["@bob:hs", "@carol:hs", "@dave:hs"],
            group: true,
            policy: policy
        )
        try scenario.act(.answer(description: nil), "bob")
        try scenario.act(.answer(description: nil), "carol")
        #expect(throws: CallFailure.callFull) { try scenario.act(.answer(description: nil), "dave") }
        try scenario.act(.leave, "bob")
        #expect(try scenario.act(.answer(description: nil), "dave") == [.answered])
    }

    @Test("Nobody outside the audience can do anything")
    func outsiders() throws {
        var scenario = try CallScenario()
        let actions: [CallAction] = [
            .ring, .answer(description: nil), .reject(nil), .end(nil), .join(after: nil), .leave, .toggleAudio(true),
            .toggleVideo(true), .changeMedia(MediaState(onHold: true)), .signal([]),
        ]
        for action in actions {
            #expect(throws: CallFailure.forbidden) { try scenario.act(action, "mallory", session: "m") }
        }
        #expect(scenario.call.version == 1)
    }

    @Test("A told device makes its user ring, once")
    func ringing() throws {
        var scenario = try CallScenario()
        #expect(scenario.state("bob") == .invited)
        #expect(try scenario.act(.ring, "bob") == [.ringing])
        #expect(try scenario.act(.ring, "bob").isEmpty)
        #expect(scenario.state("bob") == .ringing)
        #expect(try CallScenario(reachable: ["@bob:hs"]).state("bob") == .ringing)
    }

    @Test("The audience is who was named, or the room; never the caller, nobody twice, not too many")
    func audience() throws {
        let policy = CallPolicy(maximumParticipants: 2)
        var wish = CallInitiation(roomID: "!r", invitees: ["@b", "@a", "@b"])
        #expect(try wish.audience(of: "@a", roomMembers: ["@z"], policy: policy) == ["@b"])
        wish.invitees = nil
        #expect(try wish.audience(of: "@a", roomMembers: ["@z", "@a"], policy: policy) == ["@z"])
        #expect(throws: CallFailure.nameInvitees(limit: 2)) {
            try wish.audience(of: "@a", roomMembers: ["@x", "@y", "@z"], policy: policy)
        }
        wish.invitees = (0...CallLimits.invitees).map { "@u\($0)" }
        #expect(throws: CallFailure.tooManyInvitees(limit: CallLimits.invitees)) {
            try wish.audience(of: "@a", roomMembers: [], policy: policy)
        }
    }
}
