import CallModel
import CallService
import CallStoreTestSupport
import Locking
import Testing

@Suite("A request that is sent again after the store gave no answer")
struct LostAnswerTests {
    private static func place(_ node: Node, key: String? = "k") async throws -> Answer {
        let request = try key.map { try RepeatableRequest(key: $0, route: "initiate", bodyHash: "hash") }
        let wish = CallInitiation(roomID: "!room", invitees: ["@bob:hs"])
        var generator = SystemRandomNumberGenerator()
        let alice = Node.identity("alice")
        let id = CallID.random(using: &generator)
        return try await node.service.once(request, form: .callWithICE, by: alice, placing: id) {
            (id) throws(CallFailure) in
            let admission = try await node.service.initiate(wish, as: id, device: nil, by: alice)
            let status = admission.isNew ? 201 : 200
            return Answer(status: status, callID: admission.call.id, json: admission.json, form: .callWithICE)
        }
    }

    private static func code(_ work: () async throws -> Answer) async -> String {
        do { return "\(try await work().status)" } catch { return (error as? CallFailure)?.code ?? "\(error)" }
    }

    @Test(
        "A call that was placed all the same is what the repetition hears of",
        arguments: TestDatabase.allCases,
        [false, true]
    )
    func placed(_ database: TestDatabase, isSwept: Bool) async throws {
        let fixture = try await ServiceFixture(database)
        let store = try fixture.failingStore()
        let (here, there) = (try fixture.node(store: store), try fixture.node())
        store.fail(.writes)
        #expect(await Self.code { try await Self.place(here) } == "store_unavailable")
        store.fail(.none)
        // It is given back by the next sweep; without it, the repetition looks by itself.
        if isSwept { await here.service.sweep() }
        let again = try await Self.place(isSwept ? there : here)
        #expect(again.status == 201)
        let active = try await here.service.activeCalls(by: Node.identity("alice"))
        #expect(active.map(\.id) == [again.callID])
        #expect(try await Self.place(there).callID == again.callID)
        // Another request is another matter.
        #expect(await Self.code { try await Self.place(here, key: "other") } == "call_exists")
        #expect(await Self.code { try await Self.place(here, key: nil) } == "call_exists")
    }

    @Test("A call that was not placed is, as soon as the key is given back", arguments: TestDatabase.allCases)
    func notPlaced(_ database: TestDatabase) async throws {
        let fixture = try await ServiceFixture(database)
        let store = try fixture.failingStore()
        let node = try fixture.node(store: store)
        store.fail(.all)
        #expect(await Self.code { try await Self.place(node) } == "store_unavailable")
        store.fail(.none)
        #expect(await Self.code { try await Self.place(node) } == "idempotency_in_progress")
        await node.service.sweep()
        let answer = try await Self.place(node)
        #expect(answer.status == 201)
        #expect(try await Self.place(node).callID == answer.callID)
    }

    @Test("A call that is over by then is said to be over", arguments: TestDatabase.allCases)
    func over(_ database: TestDatabase) async throws {
        let fixture = try await ServiceFixture(database)
        let store = try fixture.failingStore()
        let node = try fixture.node(store: store)
        store.fail(.writes)
        #expect(await Self.code { try await Self.place(node) } == "store_unavailable")
        store.fail(.none)
        fixture.clock.advance(60_000)
        await node.service.sweep()
        #expect(await Self.code { try await Self.place(node) } == "call_ended")
        #expect(await Self.code { try await Self.place(node, key: "other") } == "201")
    }
}
