import CallModel
import CallStore
import CallStoreTestSupport
import Testing

@Suite("Events for rooms in the store")
struct RoomEventStoreTests {
    private static let start = StoreFixture.start
    private static let expiry = start.advanced(byMilliseconds: 600_000)
    private static let alice = "@alice:hs"
    private static let bob = "@bob:hs"

    private static func event(
        _ transition: CallTransition,
        _ type: String,
        _ sender: UserID,
        part: Int = 0,
        expiresAt: Timestamp = expiry
    ) -> RoomEvent {
        RoomEvent(
            sequence: transition.call.sequence,
            part: part,
            type: type,
            sender: sender,
            content: #"{"version":"1"}"#,
            transactionID: "\(transition.call.id.rawValue).\(type).\(sender)",
            expiresAt: expiresAt
        )
    }

    /// A call that was placed and refused: an invite of alice's, then bob's reject and alice's hangup.
    private static func call(
        _ fixture: StoreFixture,
        room: String = "!room",
        at now: Timestamp = start,
        inviteExpiresAt: Timestamp = expiry
    ) async throws -> CallID {
        var transition = try StoreFixture.newCall(room: room, at: now).transition
        let invite = event(transition, RoomEvent.inviteType, alice, expiresAt: inviteExpiresAt)
        #expect(
            try await fixture.store.create(CallCommit(transition: transition, outgoing: [], roomEvents: [invite]))
                == .created
        )
        let actor = Actor(userID: bob, deviceID: "B")
        transition = try transition.call.applying(.reject(nil), by: actor, now: now, policy: StoreFixture.policy)
        let events = [event(transition, "m.call.reject", bob), event(transition, "m.call.hangup", alice, part: 1)]
        let commit = CallCommit(transition: transition, outgoing: [], roomEvents: events)
        #expect(try await fixture.store.commit(commit) != nil)
        #expect(try await fixture.store.commit(commit) == nil, "and nothing is written twice")
        return transition.call.id
    }

    private static func due(_ fixture: StoreFixture, at now: Timestamp = start) async throws -> [WaitingRoomEvent] {
        try await fixture.store.dueRoomEvents(at: now, limit: 9)
    }

    private static func claim(
        _ fixture: StoreFixture,
        _ waiting: WaitingRoomEvent,
        device: DeviceID = "A",
        at now: Timestamp = start
    ) async throws -> StoredRoomEvent? {
        try await fixture.store.claim(waiting, device: device, at: now, until: now.advanced(byMilliseconds: 15_000))
    }

    @Test(
        "The invite goes first; then each side's events, of which none waits for the other's",
        arguments: TestDatabase.allCases
    )
    func order(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let id = try await Self.call(fixture)
        let waiting = try await Self.due(fixture)
        #expect(waiting.map(\.sender) == [Self.alice] && waiting.allSatisfy { $0.device == nil })
        let invite = try #require(try await Self.claim(fixture, waiting[0]))
        #expect(invite.event.type == RoomEvent.inviteType && invite.roomID == "!room" && invite.attempts == 1)
        #expect(invite.event.content == #"{"version":"1"}"# && invite.event.expiresAt == Self.expiry)
        #expect(invite.event.transactionID == "\(id.rawValue).m.call.invite.@alice:hs")
        #expect(try await Self.due(fixture).isEmpty, "nothing overtakes the invite")
        #expect(try await Self.claim(fixture, waiting[0]) == nil, "nobody sends what another one does")
        try await fixture.store.settle(invite, .sent(eventID: "$1"))
        let rest = try await Self.due(fixture)
        #expect(Set(rest.map(\.sender)) == [Self.alice, Self.bob])
        for waiting in rest {
            let event = try #require(try await Self.claim(fixture, waiting))
            try await fixture.store.settle(event, .sent(eventID: "$2"))
        }
        #expect(try await Self.due(fixture, at: Self.expiry).isEmpty)
        #expect(try await Self.given(fixture, at: Self.expiry).isEmpty)
        let sent = "SELECT count(*) FROM call_room_events WHERE event_id IS NOT NULL AND undeliverable IS NULL"
        #expect(try await fixture.database.count(sent) == 3, "what was sent stays, to be seen")
        try await fixture.store.close()
    }

    @Test("What was tried with a token of one device is tried again with no other", arguments: TestDatabase.allCases)
    func device(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        _ = try await Self.call(fixture)
        let first = try #require(try await Self.due(fixture).first)
        #expect(try await Self.claim(fixture, first, device: "") != nil)
        let later = Self.start.advanced(byMilliseconds: 15_000)
        let again = try #require(try await Self.due(fixture, at: later).first)
        #expect(again.place == first.place && again.device == "", "a claim that was never settled runs out")
        #expect(try await Self.claim(fixture, first, at: later) == nil, "it is bound to its device by now")
        let second = try #require(try await Self.claim(fixture, again, device: "", at: later))
        #expect(second.attempts == 2 && second.isRepetition)
        let muchLater = later.advanced(byMilliseconds: 60_000)
        try await fixture.store.settle(second, .postponed(until: muchLater, byAnyDevice: false))
        #expect(try await Self.due(fixture, at: muchLater.advanced(byMilliseconds: -1)).isEmpty)
        let third = try #require(try await Self.due(fixture, at: muchLater).first)
        #expect(third.device == "")
        let claimed = try #require(try await Self.claim(fixture, third, device: "", at: muchLater))
        try await fixture.store.settle(claimed, .postponed(until: muchLater, byAnyDevice: true))
        let fourth = try #require(try await Self.due(fixture, at: muchLater).first)
        #expect(fourth.device == nil)
        let last = try #require(try await Self.claim(fixture, fourth, at: muchLater))
        #expect(!last.isRepetition)
        try await fixture.store.settle(last, .leftToClient)
        #expect(try await Self.given(fixture, at: muchLater).isEmpty, "nobody is told that it never came")
        let followers = try await Self.due(fixture, at: muchLater)
        #expect(Set(followers.map(\.sender)) == [Self.alice, Self.bob], "they need not wait for it")
        try await fixture.store.close()
    }

    @Test("A sender's events for a room go out in order, call after call", arguments: TestDatabase.allCases)
    func calls(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let first = try await Self.call(fixture)
        let invite = try #require(try await Self.due(fixture).first)
        let claimed = try #require(try await Self.claim(fixture, invite))
        try await fixture.store.settle(claimed, .sent(eventID: "$1"))
        let later = Self.start.advanced(byMilliseconds: 1_000)
        let second = try await Self.call(fixture, at: later)
        let waiting = try await Self.due(fixture, at: later)
        #expect(waiting.allSatisfy { $0.place.callID == first } && waiting.count == 2)
        for event in waiting where event.sender == Self.alice {
            let claimed = try #require(try await Self.claim(fixture, event, at: later))
            try await fixture.store.settle(claimed, .sent(eventID: "$2"))
        }
        let next = try await Self.due(fixture, at: later)
        #expect(Set(next.map(\.place.callID)) == [first, second], "bob's refusal of the first keeps nobody waiting")
        try await fixture.store.close()
    }

    /// What is given up by now, as the audit takes it.
    private static func given(_ fixture: StoreFixture, at now: Timestamp = start) async throws
        -> [UndeliverableRoomEvent]
    {
        try await fixture.store.giveUpRoomEvents(at: now, limit: 9)
        return try await fixture.store.claimUnaudited(at: now, until: now.advanced(byMilliseconds: 15_000), limit: 9)
    }

    @Test("Without its invite none of a call's events goes, whenever it was written", arguments: TestDatabase.allCases)
    func orphans(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        var transition = try StoreFixture.newCall().transition
        let id = transition.call.id
        let invite = Self.event(transition, RoomEvent.inviteType, Self.alice)
        _ = try await fixture.store.create(CallCommit(transition: transition, outgoing: [], roomEvents: [invite]))
        let waiting = try #require(try await Self.due(fixture).first)
        let claimed = try #require(try await Self.claim(fixture, waiting))
        try await fixture.store.settle(claimed, .undeliverable(reason: "forbidden"))
        #expect(try await Self.given(fixture).map(\.reason) == ["forbidden"])
        // What comes later means nothing either.
        let actor = Actor(userID: Self.bob, deviceID: "B")
        transition = try transition.call.applying(.reject(nil), by: actor, now: Self.start, policy: StoreFixture.policy)
        let events = [
            Self.event(transition, "m.call.reject", Self.bob),
            Self.event(transition, "m.call.hangup", Self.alice, part: 1),
        ]
        _ = try await fixture.store.commit(CallCommit(transition: transition, outgoing: [], roomEvents: events))
        #expect(try await Self.due(fixture).isEmpty)
        let given = try await Self.given(fixture)
        #expect(given.map(\.type).sorted() == ["m.call.hangup", "m.call.reject"])
        for event in given {
            #expect(event.place.callID == id && event.sender == (event.type == "m.call.reject" ? Self.bob : Self.alice))
            #expect(event.reason == UndeliverableRoomEvent.orphaned)
        }
        try await fixture.store.close()
    }

    @Test("What is late is given up, with an invite all that belongs to it", arguments: TestDatabase.allCases)
    func late(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let soon = Self.start.advanced(byMilliseconds: 60_000)
        let id = try await Self.call(fixture, inviteExpiresAt: soon)
        let held = try await Self.call(fixture, room: "!other")
        #expect(try await Self.given(fixture, at: soon.advanced(byMilliseconds: -1)).isEmpty)
        let late = try await Self.given(fixture, at: soon)
        #expect(late.map(\.type) == [RoomEvent.inviteType] && late.map(\.reason) == [UndeliverableRoomEvent.expired])
        let orphans = try await Self.given(fixture, at: soon)
        #expect(orphans.count == 2 && orphans.allSatisfy { $0.place.callID == id && $0.reason == "orphaned" })
        // What is being sent is not given up under whoever sends it.
        let waiting = try #require(try await Self.due(fixture, at: Self.expiry).first)
        #expect(waiting.place.callID == held)
        _ = try await Self.claim(fixture, waiting, at: Self.expiry)
        let rest = try await Self.given(fixture, at: Self.expiry).filter { $0.place.callID == held }
        #expect(rest.map(\.type).sorted() == ["m.call.hangup", "m.call.reject"])
        try await fixture.store.close()
    }

    @Test("What was given up is told to the audit until it is there", arguments: TestDatabase.allCases)
    func audit(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        _ = try await Self.call(fixture, inviteExpiresAt: Self.start)
        let first = try #require(try await Self.given(fixture).first)
        let almost = Self.start.advanced(byMilliseconds: 14_999)
        #expect(
            try await Self.given(fixture, at: almost).allSatisfy { $0.place != first.place },
            "it is another one's to enter"
        )
        let later = Self.start.advanced(byMilliseconds: 15_000)
        #expect(try await Self.given(fixture, at: later).contains(first))
        try await fixture.store.settleAudit(of: first.place)
        #expect(try await !Self.given(fixture, at: later.advanced(byMilliseconds: 15_000)).contains(first))
        try await fixture.store.close()
    }

    @Test("Of two that claim the same at the same time one has it", arguments: TestDatabase.allCases)
    func shared(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        _ = try await Self.call(fixture)
        let waiting = try #require(try await Self.due(fixture).first)
        let other = try fixture.database.open()
        let claimed = try await withThrowingTaskGroup(of: StoredRoomEvent?.self) { group in
            for number in 0..<8 {
                let store = number % 2 == 0 ? fixture.store : other
                group.addTask {
                    let until = Self.start.advanced(byMilliseconds: 15_000)
                    return try await store.claim(waiting, device: "A", at: Self.start, until: until)
                }
            }
            return try await group.reduce(into: []) { if let event = $1 { $0.append(event) } }
        }
        #expect(claimed.count == 1)
        try await other.close()
        try await fixture.store.close()
    }
}
