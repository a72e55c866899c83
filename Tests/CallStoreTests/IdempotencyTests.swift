import CallModel
import CallStore
import CallStoreTestSupport
import Testing

@Suite("Idempotency keys")
struct IdempotencyTests {
    let now = StoreFixture.start

    func key(_ body: String = "hash", user: String = "@alice:hs", route: String = "initiate") -> IdempotencyKey {
        IdempotencyKey(userID: user, route: route, key: "k", bodyHash: body)
    }

    @Test(
        "The first use is worked on, the next hears what came of it, another body is refused",
        arguments: TestDatabase.allCases
    )
    func claims(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let id = try StoreFixture.newCall().transition.call.id
        #expect(try await fixture.store.claim(key(), placing: nil, at: now) == .claimed(placing: nil))
        #expect(try await fixture.store.claim(key(), placing: nil, at: now) == .inProgress(placing: nil))
        #expect(try await fixture.store.claim(key("other"), placing: nil, at: now) == .mismatch)
        let result = IdempotencyResult(status: 201, callID: id, body: #"{"ok":true}"#)
        try await fixture.store.settle(key(), result)
        #expect(try await fixture.store.claim(key(), placing: nil, at: now) == .done(result))
        #expect(try await fixture.store.claim(key("other"), placing: nil, at: now) == .mismatch)
        #expect(try await fixture.store.claim(key(user: "@bob:hs"), placing: nil, at: now) == .claimed(placing: nil))
        #expect(try await fixture.store.claim(key(route: "end"), placing: nil, at: now) == .claimed(placing: nil))
    }

    @Test(
        "A failed request gives its key back; a key lives a day, the claim of a dead process a minute",
        arguments: TestDatabase.allCases
    )
    func lifetimes(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let id = try StoreFixture.newCall().transition.call.id
        #expect(try await fixture.store.claim(key(), placing: nil, at: now) == .claimed(placing: nil))
        try await fixture.store.release(key(), claimedAt: now, keepsCall: false)
        #expect(try await fixture.store.claim(key(), placing: nil, at: now) == .claimed(placing: nil))
        #expect(
            try await fixture.store.claim(key(), placing: nil, at: now.advanced(byMilliseconds: 59_999))
                == .inProgress(placing: nil)
        )
        let retried = now.advanced(byMilliseconds: 60_000)
        #expect(try await fixture.store.claim(key(), placing: nil, at: retried) == .claimed(placing: nil))
        let result = IdempotencyResult(status: 200, callID: id)
        try await fixture.store.settle(key(), result)
        try await fixture.store.release(key(), claimedAt: retried, keepsCall: false)
        let day = IdempotencyKey.lifetime
        #expect(
            try await fixture.store.claim(key(), placing: nil, at: retried.advanced(byMilliseconds: day - 1))
                == .done(result)
        )
        #expect(
            try await fixture.store.claim(key(), placing: nil, at: retried.advanced(byMilliseconds: day))
                == .claimed(placing: nil)
        )
    }

    @Test(
        "Whoever takes a key over is told of the call that the one before was about to place",
        arguments: TestDatabase.allCases
    )
    func placing(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let store = fixture.store
        let ids = try (0..<4).map { try #require(CallID("call-\($0)")) }
        #expect(try await store.claim(key(), placing: ids[0], at: now) == .claimed(placing: ids[0]))
        #expect(try await store.claim(key(), placing: ids[1], at: now) == .inProgress(placing: ids[0]))
        // Given back by whoever claimed it at another time, it stays.
        let later = now.advanced(byMilliseconds: 1)
        try await store.release(key(), claimedAt: later, keepsCall: false)
        try await store.release(key(), claimedAt: later, keepsCall: true)
        #expect(try await store.claim(key(), placing: ids[1], at: now) == .inProgress(placing: ids[0]))
        try await store.release(key(), claimedAt: now, keepsCall: true)
        #expect(try await store.claim(key(), placing: ids[1], at: later) == .claimed(placing: ids[0]))
        // Another body would place another call.
        try await store.release(key(), claimedAt: later, keepsCall: true)
        #expect(try await store.claim(key("other"), placing: ids[2], at: later) == .claimed(placing: ids[2]))
        // So does a key past its day, and one that was given back for good.
        let day = later.advanced(byMilliseconds: IdempotencyKey.lifetime)
        #expect(try await store.claim(key("other"), placing: ids[3], at: day) == .claimed(placing: ids[3]))
        try await store.release(key("other"), claimedAt: day, keepsCall: false)
        #expect(try await store.claim(key("other"), placing: ids[0], at: day) == .claimed(placing: ids[0]))
    }
}
