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
        #expect(try await fixture.store.claim(key(), at: now) == .claimed)
        #expect(try await fixture.store.claim(key(), at: now) == .inProgress)
        #expect(try await fixture.store.claim(key("other"), at: now) == .mismatch)
        let result = IdempotencyResult(status: 201, callID: id, body: #"{"ok":true}"#)
        try await fixture.store.settle(key(), result)
        #expect(try await fixture.store.claim(key(), at: now) == .done(result))
        #expect(try await fixture.store.claim(key("other"), at: now) == .mismatch)
        #expect(try await fixture.store.claim(key(user: "@bob:hs"), at: now) == .claimed)
        #expect(try await fixture.store.claim(key(route: "end"), at: now) == .claimed)
    }

    @Test(
        "A failed request gives its key back; a key lives a day, the claim of a dead process a minute",
        arguments: TestDatabase.allCases
    )
    func lifetimes(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let id = try StoreFixture.newCall().transition.call.id
        #expect(try await fixture.store.claim(key(), at: now) == .claimed)
        try await fixture.store.release(key())
        #expect(try await fixture.store.claim(key(), at: now) == .claimed)
        #expect(try await fixture.store.claim(key(), at: now.advanced(byMilliseconds: 59_999)) == .inProgress)
        let retried = now.advanced(byMilliseconds: 60_000)
        #expect(try await fixture.store.claim(key(), at: retried) == .claimed)
        let result = IdempotencyResult(status: 200, callID: id)
        try await fixture.store.settle(key(), result)
        try await fixture.store.release(key())
        let day = IdempotencyKey.lifetime
        #expect(try await fixture.store.claim(key(), at: retried.advanced(byMilliseconds: day - 1)) == .done(result))
        #expect(try await fixture.store.claim(key(), at: retried.advanced(byMilliseconds: day)) == .claimed)
    }
}
