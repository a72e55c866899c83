import CallModel
import CallService
import CallStore
import CallStoreTestSupport
import Locking
import Testing

@Suite("Nodes that look after each other's calls")
struct NodeKeeperTests {
    /// Too short to be kept by the database's clock: everybody is silent, and it depends on the test's clock who is judged.
    private static let silence: Int64 = 1

    private final class Count: Sendable {
        private let number = Locked(0)
        var value: Int { number.withLock { $0 } }
        func add() { number.withLock { $0 += 1 } }
    }

    /// A clock that stands until it is advanced.
    private final class StandingClock: Sendable {
        private let time = Locked(ContinuousClock.now)
        var now: ContinuousClock.Instant { time.withLock { $0 } }
        func advance() { time.withLock { $0 = $0 + .milliseconds(silence) } }
    }

    private static func keeper(_ name: String, _ node: Node, _ clock: StandingClock, _ forgotten: Count) -> NodeKeeper {
        NodeKeeper(node: name, calls: node.service, silence: silence, now: { clock.now }) { forgotten.add() }
    }

    /// By the database's clock everybody is silent for long then.
    private static func rest() async throws { try await Task.sleep(for: .milliseconds(20)) }

    /// Alice by a socket of node A, bob by one of node B, in a call.
    private static func call(_ a: Node, _ b: Node) async throws -> CallID {
        let alice = await a.connect("alice", "A.s1")
        let bob = await b.connect("bob", "B.s1")
        let id = try await a.initiate("alice", ["bob"]).call.id
        try await a.join(id, "alice", alice)
        _ = try await b.answer(id, "bob")
        try await b.join(id, "bob", bob)
        return id
    }

    private static func state(_ node: Node, _ id: CallID, _ user: String) async throws -> ParticipantState? {
        try await node.service.status(id, by: Node.identity(user)).participant("@\(user):hs")?.state
    }

    @Test(
        "Whose node is silent for long is on grace, and the node hears of it when it is back",
        arguments: TestDatabase.allCases
    )
    func dies(_ database: TestDatabase) async throws {
        let fixture = try await ServiceFixture(database)
        let (a, b) = (try fixture.node(), try fixture.node())
        let (clock, forgotten) = (StandingClock(), Count())
        let keeperA = Self.keeper("A", a, clock, forgotten)
        let keeperB = Self.keeper("B", b, clock, Count())
        try await keeperA.enter()
        try await keeperB.enter()
        let id = try await Self.call(a, b)
        try await Self.rest()
        await keeperB.beat()
        #expect(try await Self.state(b, id, "alice") == .joined, "nobody is judged right after the start")
        clock.advance()
        #expect(!keeperA.isWell && !keeperB.isWell)
        await keeperB.beat()
        #expect(try await Self.state(b, id, "alice") == .reconnecting)
        #expect(try await Self.state(b, id, "bob") == .joined, "its own are there")
        #expect(forgotten.value == 0 && keeperB.isWell)
        #expect(try await fixture.database.count("SELECT count(*) FROM call_nodes") == 1)
        await keeperA.beat()
        #expect(forgotten.value == 1 && keeperA.isWell)
        try await keeperA.leave()
        try await keeperB.leave()
        #expect(try await fixture.database.count("SELECT count(*) FROM call_nodes") == 0)
    }

    @Test(
        "After the store was away for all, nobody takes the others' silence for their death",
        arguments: TestDatabase.allCases
    )
    func outage(_ database: TestDatabase) async throws {
        let fixture = try await ServiceFixture(database)
        let (storeA, storeB) = (try fixture.failingStore(), try fixture.failingStore())
        let (a, b) = (try fixture.node(store: storeA), try fixture.node(store: storeB))
        let (clock, forgotten) = (StandingClock(), Count())
        let keeperA = Self.keeper("A", a, clock, forgotten)
        let keeperB = Self.keeper("B", b, clock, forgotten)
        try await keeperA.enter()
        try await keeperB.enter()
        let id = try await Self.call(a, b)
        clock.advance()
        for store in [storeA, storeB] { store.fail(.all) }
        try await Self.rest()
        for keeper in [keeperA, keeperB] { await keeper.beat() }
        for store in [storeA, storeB] { store.fail(.none) }
        // B is back first, and finds that A was silent for as long as itself.
        for keeper in [keeperB, keeperA, keeperB, keeperA] { await keeper.beat() }
        #expect(try await Self.state(b, id, "alice") == .joined)
        #expect(try await Self.state(a, id, "bob") == .joined)
        #expect(forgotten.value == 0)
        try await Self.rest()
        clock.advance()
        await keeperB.beat()
        #expect(try await Self.state(b, id, "alice") == .reconnecting, "who stays silent is lost after all")
    }
}
