import CallModel
import CallStore
import CallStoreTestSupport
import Testing

@Suite("The call store, the same on every database")
struct CallStoreContractTests {
    let bob = Actor(userID: "@bob:hs", deviceID: "B", session: "b1")

    @Test(
        "A call comes back as it was written, through every state, and after the database was opened again",
        arguments: TestDatabase.allCases
    )
    func roundTrip(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let commit = try StoreFixture.newCall(for: ["@bob:hs", "@carol:hs"])
        let id = commit.transition.call.id
        #expect(try await fixture.store.create(commit) == .created)
        #expect(try await fixture.store.call(id) == commit.transition.call)
        let acts: [(CallAction, Actor)] = [
            (.ring, bob), (.answer(description: nil), bob), (.join(after: nil), bob), (.toggleVideo(false), bob),
            (.changeMedia(MediaState(onHold: true, screenShare: false, callType: .voice)), bob), (.disconnect, bob),
            (.signal([Signal(kind: .offer, to: "@bob:hs", payload: "{}")]), Actor(userID: "@alice:hs")),
            (.end(nil), Actor(userID: "@alice:hs")),
        ]
        for (action, actor) in acts {
            let transition = try await fixture.act(action, id, by: actor)
            #expect(try await fixture.store.call(id) == transition.call)
        }
        try await fixture.store.close()
        let reopened = try fixture.database.open()
        #expect(try await reopened.migrate().isEmpty)
        let call = try #require(try await reopened.call(id))
        #expect(call.state == .ended && call.isRelayOnly && call.callType == .voice)
        let events = try await reopened.events(of: id, after: 0, limit: 100)
        #expect(events.map(\.sequence) == Array(1...call.sequence))
        #expect(events.first?.kind == .initiated && events.last?.kind == .ended(.hangup))
        #expect(events.contains { $0.kind == .signal(Signal(kind: .offer, to: "@bob:hs", size: 2)) })
        let media = MediaState(onHold: true, screenShare: false, callType: .voice)
        #expect(events.contains { $0.kind == .mediaState(media) })
        try await reopened.close()
    }

    @Test("A change of another version than the stored one writes nothing", arguments: TestDatabase.allCases)
    func compareAndSet(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let commit = try StoreFixture.newCall()
        let id = commit.transition.call.id
        #expect(try await fixture.store.create(commit) == .created)
        let stale = try commit.transition.call.applying(
            .end(nil),
            by: Actor(userID: "@alice:hs"),
            now: StoreFixture.start,
            policy: StoreFixture.policy
        )
        let won = try await fixture.act(.answer(description: nil), id, by: bob)
        #expect(try await fixture.store.commit(CallCommit(transition: stale, outgoing: [])) == nil)
        #expect(try await fixture.store.call(id) == won.call)
        #expect(try await fixture.store.events(of: id, after: 0, limit: 10).count == 2)
    }

    @Test(
        "What only appends comes after what others appended, under the numbers that it gets there",
        arguments: TestDatabase.allCases
    )
    func append(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let first = try StoreFixture.newCall()
        let id = first.transition.call.id
        #expect(try await fixture.store.create(first) == .created)
        let call = try #require(try await fixture.store.call(id))
        let (alice, bob) = (Actor(userID: "@alice:hs"), Actor(userID: "@bob:hs"))
        func commit(_ action: CallAction, by actor: Actor) throws -> CallCommit {
            let now = StoreFixture.start
            let transition = try call.applying(action, by: actor, now: now, policy: StoreFixture.policy)
            let outgoing = transition.events.map { StoreFixture.event($0.sequence, to: transition) }
            return CallCommit(transition: transition, outgoing: outgoing)
        }
        let candidate = Signal(kind: .candidate, to: nil, payload: "null")
        let three = try commit(.signal([candidate, candidate, candidate]), by: alice)
        let two = try commit(.signal([candidate, candidate]), by: alice)
        let answer = try commit(.answer(description: nil), by: bob)
        #expect(three.transition.onlyAppends && !answer.transition.onlyAppends)
        #expect(try await fixture.store.commit(three)?.transition == three.transition)
        // Of the same version, and yet it would have number 2.
        #expect(try await fixture.store.commit(answer) == nil)
        let written = try #require(try await fixture.store.commit(two))
        #expect(written.transition.events.map(\.sequence) == [5, 6])
        #expect(written.transition.call == (try await fixture.store.call(id)))
        #expect(try await fixture.store.outgoingEvents(of: id, after: 4) == written.outgoing)
        #expect(try await fixture.store.outgoingEvents(of: id, after: 0).map(\.sequence) == Array(1...6))
        #expect(try await fixture.store.events(of: id, after: 0, limit: 99).map(\.sequence) == Array(1...6))
        // What was decided before the answer does not come after it.
        let answered = try await fixture.act(.answer(description: nil), id, by: bob)
        #expect(answered.call.version == call.version + 1)
        #expect(try await fixture.store.commit(two) == nil)
        #expect(try await fixture.store.call(id) == answered.call)
    }

    @Test(
        "Old signals go although nobody could know that it was time before the store had numbered them",
        arguments: TestDatabase.allCases
    )
    func dropAfterOthers(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let commit = try StoreFixture.newCall()
        let id = commit.transition.call.id
        #expect(try await fixture.store.create(commit) == .created)
        let alice = Actor(userID: "@alice:hs")
        let begun = try #require(try await fixture.store.call(id))
        // Both nodes go on from what they know. Each passes a stride by the other's signals alone.
        let batch = Array(repeating: Signal(kind: .candidate, to: nil, payload: "null"), count: 31)
        let transition = try begun.applying(
            .signal(batch),
            by: alice,
            now: StoreFixture.start,
            policy: StoreFixture.policy
        )
        let outgoing = transition.events.map { StoreFixture.event($0.sequence, to: transition) }
        for _ in 0..<70 {
            #expect(try await fixture.store.commit(CallCommit(transition: transition, outgoing: outgoing)) != nil)
        }
        // The last drop may still be on its way.
        let count = try await fixture.database.count("SELECT count(*) FROM call_signals")
        #expect(count <= CallLimits.keptEvents + 2 * 64, "\(count) signals are kept")
        #expect(try await fixture.store.call(id)?.sequence == 70 * 31 + 1)
    }

    @Test("Whoever changes a call as it is stored is not overtaken", arguments: TestDatabase.allCases)
    func change(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let commit = try StoreFixture.newCall()
        let id = commit.transition.call.id
        #expect(try await fixture.store.create(commit) == .created)
        let other = try fixture.database.open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                let store = number % 2 == 0 ? fixture.store : other
                group.addTask {
                    let found = try await store.change(id) { call in
                        let candidate = Signal(kind: .candidate, to: nil, payload: "\(number)")
                        let alice = Actor(userID: "@alice:hs")
                        let transition = try? call?.applying(
                            .signal([candidate]),
                            by: alice,
                            now: StoreFixture.start,
                            policy: StoreFixture.policy
                        )
                        return (transition.map { CallCommit(transition: $0, outgoing: []) }, call != nil)
                    }
                    #expect(found)
                }
            }
            try await group.waitForAll()
        }
        #expect(try await fixture.store.call(id)?.sequence == 41)
        #expect(try await fixture.store.events(of: id, after: 0, limit: 99).map(\.sequence) == Array(1...41))
        var generator = SystemRandomNumberGenerator()
        #expect(try await other.change(.random(using: &generator)) { (nil, $0 == nil) })
        try await other.close()
        try await fixture.store.close()
    }

    @Test("Of many writes at once each hears of its own failure alone", arguments: TestDatabase.allCases)
    func together(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let tooLong = String(repeating: "x", count: 256)
        let outcomes = try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for number in 0..<60 {
                // The same room thrice, and every tenth one that no database takes.
                let room = number % 10 == 9 ? tooLong : "!room\(number % 20)"
                group.addTask {
                    do {
                        return (number, "\(try await fixture.store.create(StoreFixture.newCall(room: room)))")
                    } catch is StoreFailure {
                        return (number, "failed")
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0.1 == "failed" } == 6)
        #expect(outcomes.filter { $0.1 == "failed" }.allSatisfy { $0.0 % 10 == 9 })
        #expect(outcomes.count { $0.1 == "created" } == 18)
        #expect(try await fixture.store.activeCalls(of: "@bob:hs", limit: 99).count == 18)
        try await fixture.store.close()
    }

    @Test("A room has one call that has not ended; the next may come when it has", arguments: TestDatabase.allCases)
    func oneActiveCallARoom(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let first = try StoreFixture.newCall()
        #expect(try await fixture.store.create(first) == .created)
        #expect(try await fixture.store.create(StoreFixture.newCall(by: "@carol:hs")) == .roomTaken)
        #expect(try await fixture.store.create(StoreFixture.newCall(room: "!other")) == .created)
        #expect(try await fixture.store.activeCall(inRoom: "!room")?.id == first.transition.call.id)
        #expect(try await fixture.store.events(of: first.transition.call.id, after: 0, limit: 10).count == 1)
        _ = try await fixture.act(.end(nil), first.transition.call.id, by: Actor(userID: "@alice:hs"))
        #expect(try await fixture.store.activeCall(inRoom: "!room") == nil)
        #expect(try await fixture.store.create(StoreFixture.newCall(by: "@carol:hs")) == .created)
    }

    @Test(
        "Due calls are found by their nearest deadline; signals go with the purge, the audit stays",
        arguments: TestDatabase.allCases
    )
    func deadlines(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let commit = try StoreFixture.newCall()
        let id = commit.transition.call.id
        #expect(try await fixture.store.create(commit) == .created)
        let ringOut = StoreFixture.start.advanced(byMilliseconds: 60_000)
        #expect(
            try await fixture.store.callsDue(at: Timestamp(milliseconds: ringOut.milliseconds - 1), limit: 9).isEmpty
        )
        #expect(try await fixture.store.callsDue(at: ringOut, limit: 9) == [id])
        let missed = try #require(try await fixture.store.call(id)).advanced(to: ringOut, policy: StoreFixture.policy)
        #expect(try await fixture.store.commit(CallCommit(transition: missed, outgoing: [])) != nil)
        #expect(try await fixture.store.callsDue(at: ringOut, limit: 9).isEmpty)
        let purge = ringOut.advanced(byMilliseconds: 60_000)
        #expect(try await fixture.store.callsDue(at: purge, limit: 9) == [id])
        #expect(try await fixture.store.outgoingEvents(of: id, after: 0).count == 1)
        let purged = missed.call.advanced(to: purge, policy: StoreFixture.policy)
        #expect(try await fixture.store.commit(CallCommit(transition: purged, outgoing: [])) != nil)
        #expect(try await fixture.store.outgoingEvents(of: id, after: 0).isEmpty)
        #expect(try await fixture.store.callsDue(at: Timestamp(milliseconds: .max), limit: 9).isEmpty)
        #expect(try await fixture.store.events(of: id, after: 0, limit: 10).map(\.sequence) == [1, 2, 3])
    }

    @Test(
        "What clients were told comes back word for word, after a number, the newest that are kept",
        arguments: TestDatabase.allCases
    )
    func outgoing(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let commit = try StoreFixture.newCall()
        let id = commit.transition.call.id
        let alice = Actor(userID: "@alice:hs")
        #expect(try await fixture.store.create(commit) == .created)
        let batch = (0..<64).map { _ in Signal(kind: .candidate, to: nil, payload: "null") }
        for _ in 0..<20 { _ = try await fixture.act(.signal(batch), id, by: alice) }
        let kept = try await fixture.store.outgoingEvents(of: id, after: 0)
        #expect(kept.count == CallLimits.keptEvents)
        #expect(kept.last?.sequence == 1281)
        #expect(kept.map(\.sequence) == Array((kept.first?.sequence ?? 0)...1281))
        let last = try await fixture.store.outgoingEvents(of: id, after: 1279)
        #expect(last.map(\.sequence) == [1280, 1281])
        #expect(last.last?.payload == #"{"callId":"\#(id.rawValue)","seq":1281,"é":1.0}"#)
        #expect(try await fixture.store.events(of: id, after: 0, limit: 2000).count == 1281)
    }

    @Test(
        "Numbers of events that clients are not told push nothing out of what is kept",
        arguments: TestDatabase.allCases
    )
    func untold(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let commit = try StoreFixture.newCall()
        let id = commit.transition.call.id
        #expect(try await fixture.store.create(commit) == .created)
        for _ in 0..<(CallLimits.keptEvents + 64) {
            let call = try #require(try await fixture.store.call(id))
            let actor = Actor(userID: "@alice:hs")
            let transition = try call.applying(
                .relayAllocated,
                by: actor,
                now: StoreFixture.start,
                policy: StoreFixture.policy
            )
            #expect(try await fixture.store.commit(CallCommit(transition: transition, outgoing: [])) != nil)
        }
        #expect(try await fixture.store.outgoingEvents(of: id, after: 0).map(\.sequence) == [1])
    }

    @Test(
        "Lists show a user's calls alone, the newest first, page by page without a gap",
        arguments: TestDatabase.allCases
    )
    func lists(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        var ids: [CallID] = []
        for index in 0..<5 {
            // Two of the same millisecond: the id decides.
            let at = StoreFixture.start.advanced(byMilliseconds: Int64(index / 2))
            let commit = try StoreFixture.newCall(room: "!r\(index)", at: at)
            #expect(try await fixture.store.create(commit) == .created)
            ids.append(commit.transition.call.id)
        }
        #expect(try await fixture.store.activeCalls(of: "@bob:hs", limit: 10).count == 5)
        #expect(try await fixture.store.activeCalls(of: "@bob:hs", limit: 10).first?.id == ids[4])
        #expect(try await fixture.store.activeCalls(of: "@mallory:hs", limit: 10).isEmpty)
        for id in ids { _ = try await fixture.act(.end(nil), id, by: Actor(userID: "@alice:hs")) }
        #expect(try await fixture.store.activeCalls(of: "@bob:hs", limit: 10).isEmpty)
        var seen: [CallID] = []
        var cursor: HistoryCursor?
        repeat {
            let page = try await fixture.store.history(of: "@bob:hs", before: cursor, limit: 2)
            seen += page.map(\.id)
            cursor = page.last.map { HistoryCursor(createdAt: $0.createdAt, callID: $0.id) }
            cursor = cursor.flatMap { HistoryCursor($0.text) }
        } while cursor != nil
        #expect(seen.count == 5 && Set(seen) == Set(ids) && seen.first == ids[4])
    }

    @Test(
        "Pruning takes old ended calls with all that hangs on them, a few at a time",
        arguments: TestDatabase.allCases
    )
    func prune(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        for index in 0..<3 {
            let commit = try StoreFixture.newCall(room: "!r\(index)")
            #expect(try await fixture.store.create(commit) == .created)
            if index < 2 {
                _ = try await fixture.act(.end(nil), commit.transition.call.id, by: Actor(userID: "@alice:hs"))
            }
        }
        let later = StoreFixture.start.advanced(byMilliseconds: 1)
        #expect(try await fixture.store.prune(endedBefore: StoreFixture.start, keysBefore: later, limit: 9) == 0)
        #expect(try await fixture.store.prune(endedBefore: later, keysBefore: later, limit: 1) == 1)
        let left = try #require(try await fixture.store.history(of: "@bob:hs", before: nil, limit: 9).first)
        #expect(try await fixture.store.prune(endedBefore: later, keysBefore: later, limit: 9) == 1)
        #expect(try await fixture.store.events(of: left.id, after: 0, limit: 9).isEmpty)
        #expect(try await fixture.store.activeCalls(of: "@bob:hs", limit: 9).count == 1)
    }
}
