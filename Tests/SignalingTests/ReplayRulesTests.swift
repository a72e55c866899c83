import CallModel
import Signaling
import Testing

@Suite("What is sent again")
struct ReplayRulesTests {
    let call: Call

    init() throws {
        let wish = CallInitiation(roomID: "!r", isGroup: true, invitees: ["@b", "@c"])
        var call = try wish.begin(
            id: #require(CallID("c1")),
            by: Actor(userID: "@a"),
            audience: ["@b", "@c"],
            reachable: [],
            now: Timestamp(milliseconds: 1),
            policy: CallPolicy()
        ).call
        for user in ["@b", "@c"] {
            call = try call.applying(
                .answer(description: nil),
                by: Actor(userID: user),
                now: Timestamp(milliseconds: 2),
                policy: CallPolicy()
            ).call
        }
        self.call = call
    }

    func signal(_ sequence: Int64, _ kind: SignalKind, from sender: String, to: String? = nil, size: Int = 2)
        -> OutgoingEvent
    {
        event(sequence, kind.eventName, .joined, from: sender, to: to, size: size)
    }

    func event(
        _ sequence: Int64,
        _ name: String,
        _ scope: EventScope,
        from sender: String?,
        to: String? = nil,
        size: Int = 2
    ) -> OutgoingEvent {
        OutgoingEvent(
            callID: call.id,
            sequence: sequence,
            name: name,
            scope: scope,
            sender: sender,
            recipient: to,
            payload: "\"" + String(repeating: "x", count: size - 2) + "\""
        )
    }

    @Test("A fresh session gets each peer's newest description for it, with the candidates that followed")
    func kept() {
        let events = [
            signal(1, .offer, from: "@a"), signal(2, .candidate, from: "@a"), signal(3, .offer, from: "@b", to: "@a"),
            signal(4, .offer, from: "@a", to: "@c"), signal(5, .candidate, from: "@a", to: "@c"),
            signal(6, .offer, from: "@b", to: "@c"), signal(7, .candidate, from: "@b"), signal(8, .offer, from: "@c"),
            event(9, "audio-toggled", .joined, from: "@a"), event(10, "call-answered", .audience, from: "@b"),
        ]
        #expect(Replay.kept(events, for: "@c", answersAfter: 0, in: call).map(\.sequence) == [4, 5, 6, 7])
        #expect(Replay.kept(events, for: "@b", answersAfter: 0, in: call).map(\.sequence) == [1, 2, 8])
    }

    @Test("Candidates that came before any description wait for a first session; a later one has no use for them")
    func earlyCandidates() {
        let events = [signal(1, .candidate, from: "@a")]
        #expect(Replay.kept(events, for: "@b", answersAfter: 0, in: call).count == 1)
        #expect(Replay.kept(events, for: "@b", answersAfter: 5, in: call).isEmpty)
    }

    @Test(
        "An answer to an earlier session is not sent to the one after; the first gets it, having made the offer elsewhere"
    )
    func staleAnswers() {
        let events = [signal(1, .answer, from: "@b", to: "@a"), signal(2, .candidate, from: "@b", to: "@a")]
        #expect(Replay.kept(events, for: "@a", answersAfter: 0, in: call).count == 2)
        #expect(Replay.kept(events, for: "@a", answersAfter: 1, in: call).isEmpty)
    }

    @Test("Whoever left is not heard again")
    func gone() throws {
        let left = try call.applying(
            .leave,
            by: Actor(userID: "@b"),
            now: Timestamp(milliseconds: 3),
            policy: CallPolicy()
        ).call
        #expect(Replay.kept([signal(1, .offer, from: "@b")], for: "@a", answersAfter: 0, in: left).isEmpty)
    }

    @Test("A resumed session gets what was for it, its own acts and others' directed signals left out")
    func missed() throws {
        let events = [
            signal(1, .offer, from: "@a"), event(2, "user-joined", .joined, from: "@c"),
            event(5, "user-joined", .joined, from: "@a"), signal(6, .offer, from: "@b"), signal(7, .offer, from: "@a"),
            signal(8, .offer, from: "@a", to: "@c"), event(9, "call-answered", .audience, from: "@b"),
            event(10, "audio-toggled", .joined, from: "@c"), event(11, "call-incoming", .invited, from: "@a"),
        ]
        let share = try Replay.missed(events, by: "@b", sessionBegan: 4, in: call)
        #expect(share.map(\.sequence) == [1, 5, 7, 9, 10, 11])
        #expect(try !Replay.missed(events, by: "@a", sessionBegan: 4, in: call).contains { $0.name == "call-incoming" })
    }

    @Test("More than one answer may carry asks for a fresh start")
    func tooMuch() throws {
        let size = CallLimits.descriptionSize
        let count = CallLimits.replaySize / size
        let fitting = (1...count).map { signal(Int64($0), .offer, from: "@a", size: size) }
        #expect(try Replay.missed(fitting, by: "@b", sessionBegan: 0, in: call).count == count)
        let over = fitting + [signal(99, .candidate, from: "@a")]
        #expect(throws: CallFailure.resyncRequired) {
            try Replay.missed(over, by: "@b", sessionBegan: 0, in: call)
        }
    }

    @Test("Of each sender's candidates a fresh session gets the newest, as many as fit")
    func manyCandidates() {
        var events = [signal(1, .offer, from: "@a", size: 60_000), signal(2, .candidate, from: "@b", size: 100)]
        events += (3..<1_003).map { signal($0, .candidate, from: "@a", size: 4_096) }
        let kept = Replay.kept(events, for: "@c", answersAfter: 0, in: call).map(\.sequence)
        #expect(kept == [1, 2] + Array(987..<1_003))
    }
}
