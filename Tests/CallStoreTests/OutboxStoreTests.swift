import CallModel
import CallStore
import CallStoreTestSupport
import Testing

@Suite("The outbox in the store")
struct OutboxStoreTests {
    private static let start = StoreFixture.start
    private static let later = start.advanced(byMilliseconds: 30_000)

    private static func notices(_ transition: CallTransition) -> [CallNotice] {
        transition.events.map { event in
            CallNotice(sequence: event.sequence, id: "\(transition.call.id.rawValue).\(event.sequence)", payload: "{}")
        }
    }

    /// A call with three notices: placed, answered, ended.
    private static func call(_ fixture: StoreFixture, room: String = "!room") async throws -> CallID {
        var transition = try StoreFixture.newCall(room: room).transition
        let new = CallCommit(transition: transition, outgoing: [], notices: notices(transition))
        #expect(try await fixture.store.create(new) == .created)
        for action in [CallAction.answer(description: nil), .end(nil)] {
            let bob = Actor(userID: "@bob:hs", deviceID: "B")
            transition = try transition.call.applying(action, by: bob, now: start, policy: StoreFixture.policy)
            let commit = CallCommit(transition: transition, outgoing: [], notices: notices(transition))
            #expect(try await fixture.store.commit(commit) != nil)
            // The same again meets another version, and writes nothing.
            #expect(try await fixture.store.commit(commit) == nil)
        }
        return transition.call.id
    }

    private static func claim(_ fixture: StoreFixture, at now: Timestamp = start, limit: Int = 9) async throws
        -> [StoredNotice]
    {
        try await fixture.store.claimNotices(at: now, until: now.advanced(byMilliseconds: 30_000), limit: limit)
    }

    @Test("Of a call the first goes out alone; the next when that was taken", arguments: TestDatabase.allCases)
    func order(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let ids = [try await Self.call(fixture), try await Self.call(fixture, room: "!other")]
        for sequence in Int64(1)...3 {
            let claimed = try await Self.claim(fixture)
            #expect(Set(claimed.map(\.callID)) == Set(ids))
            #expect(claimed.allSatisfy { $0.notice.sequence == sequence && $0.attempts == 1 })
            #expect(claimed.allSatisfy { $0.notice.id == "\($0.callID.rawValue).\(sequence)" })
            #expect(claimed.allSatisfy { $0.notice.payload == "{}" && $0.createdAt == Self.start })
            #expect(try await Self.claim(fixture).isEmpty, "nobody sends what another one does")
            for notice in claimed { try await fixture.store.settle(notice, .taken) }
        }
        #expect(try await Self.claim(fixture, at: Self.later).isEmpty)
        #expect(try await fixture.database.count("SELECT count(*) FROM call_outbox") == 0)
    }

    @Test("What its claimer never settled, and what was postponed, comes again", arguments: TestDatabase.allCases)
    func again(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        _ = try await Self.call(fixture)
        let first = try #require(try await Self.claim(fixture).first)
        let almost = Self.later.advanced(byMilliseconds: -1)
        #expect(try await Self.claim(fixture, at: almost).isEmpty)
        let second = try #require(try await Self.claim(fixture, at: Self.later).first)
        #expect(second.notice == first.notice && second.attempts == 2)
        let muchLater = Self.later.advanced(byMilliseconds: 90_000)
        try await fixture.store.settle(second, .postponed(until: muchLater))
        #expect(try await Self.claim(fixture, at: muchLater.advanced(byMilliseconds: -1)).isEmpty)
        let third = try #require(try await Self.claim(fixture, at: muchLater).first)
        #expect(third.notice == first.notice && third.attempts == 3)
        try await fixture.store.settle(third, .givenUp(at: muchLater))
        let next = try #require(try await Self.claim(fixture, at: muchLater).first)
        #expect(next.notice.sequence == 2, "what is given up holds nothing up")
        #expect(try await fixture.database.count("SELECT count(*) FROM call_outbox") == 3, "and is there to be seen")
    }

    @Test("Two that claim at the same time share what there is", arguments: TestDatabase.allCases)
    func shared(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        for room in 0..<20 { _ = try await Self.call(fixture, room: "!\(room)") }
        let other = try fixture.database.open()
        let claimed = try await withThrowingTaskGroup(of: [StoredNotice].self) { group in
            for number in 0..<8 {
                let store = number % 2 == 0 ? fixture.store : other
                group.addTask { try await store.claimNotices(at: Self.start, until: Self.later, limit: 5) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(claimed.count == 20 && Set(claimed.map(\.callID)).count == 20)
        try await other.close()
    }
}
