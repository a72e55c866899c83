import CallModel
import CallService
import CallStoreTestSupport
import Locking
import Signaling
import SocketIO
import Testing

/// Signals that are handed over without waiting for those before.
@Suite("Signals that are under way together")
struct SignalBatchTests {
    /// What became of signals, in the order in which it was told.
    private final class Outcomes: Sendable {
        private let list = Locked<[(number: Int, result: Result<SignalReceipt, CallFailure>)]>([])

        func add(_ number: Int, _ result: Result<SignalReceipt, CallFailure>) {
            list.withLock { $0.append((number, result)) }
        }

        /// Waits for so many.
        func first(_ count: Int) async throws -> [(number: Int, result: Result<SignalReceipt, CallFailure>)] {
            for _ in 0..<30_000 where list.withLock({ $0.count }) < count {
                try await Task.sleep(for: .milliseconds(2))
            }
            let all = list.withLock { $0 }
            try #require(all.count == count)
            return all
        }
    }

    private func hand(_ node: Node, _ id: CallID, _ user: String, _ number: Int, _ outcomes: Outcomes) {
        let signal = Signal(kind: .candidate, to: nil, payload: "\(number)")
        node.service.signal(id, [signal], session: nil, by: Node.identity(user)) { outcomes.add(number, $0) }
    }

    @Test("Each is told of its own number, in order, and the other side hears them in that order")
    func order() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let (id, alice, bob) = try await fixture.activeCall(node)
        let before = try await node.service.status(id, by: Node.identity("alice")).sequence
        let outcomes = Outcomes()
        for number in 0..<200 { hand(node, id, number % 4 == 0 ? "bob" : "alice", number, outcomes) }
        let all = try await outcomes.first(200)
        #expect(all.map(\.number) == Array(0..<200))
        #expect(try all.map { try $0.result.get().sequence } == Array(before + 1...before + 200))
        #expect(try all.allSatisfy { try $0.result.get().isDelivered })
        let toBob = bob.take().map { $0.payload["candidate"]?.integerValue }
        #expect(toBob == (0..<200).filter { $0 % 4 != 0 })
        #expect(alice.take().map { $0.payload["candidate"]?.integerValue } == (0..<200).filter { $0 % 4 == 0 })
        #expect(try await fixture.audit(node, id).map(\.sequence) == Array(1...before + 200))
    }

    @Test("One that is refused among them is refused alone")
    func refusal() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let (id, _, bob) = try await fixture.activeCall(node)
        let outcomes = Outcomes()
        let users = ["alice", "alice", "carol", "alice", "carol", "alice"]
        for (number, user) in users.enumerated() { hand(node, id, user, number, outcomes) }
        let all = try await outcomes.first(users.count)
        #expect(all.map(\.number) == Array(users.indices))
        for (number, result) in all {
            switch result {
            case .success: #expect(users[number] == "alice")
            case .failure(let failure):
                #expect(users[number] == "carol")
                #expect(failure == .forbidden)
            }
        }
        #expect(bob.take().map { $0.payload["candidate"]?.integerValue } == [0, 1, 3, 5])
    }

    @Test("What another node did in between is told before them, and none is lost")
    func conflict() async throws {
        let fixture = try await ServiceFixture()
        let here = try fixture.node()
        let there = try fixture.node()
        let (id, _, bob) = try await fixture.activeCall(here)
        try await here.send(id, "alice", .candidate, "100")
        try await there.send(id, "alice", .candidate, "101")
        let outcomes = Outcomes()
        for number in 102..<110 { hand(here, id, "alice", number, outcomes) }
        let all = try await outcomes.first(8)
        #expect(all.map(\.number) == Array(102..<110))
        #expect(bob.take().map { $0.payload["candidate"]?.integerValue } == Array(100..<110))
    }

    @Test("A store that fails fails them all, and the next ones pass once it is back")
    func failure() async throws {
        let fixture = try await ServiceFixture()
        let store = try fixture.failingStore()
        let node = try fixture.node(store: store)
        let (id, _, bob) = try await fixture.activeCall(node)
        store.fail(.writes)
        let outcomes = Outcomes()
        for number in 0..<8 { hand(node, id, "alice", number, outcomes) }
        let all = try await outcomes.first(8)
        for (_, result) in all { #expect(throws: CallFailure.storeUnavailable) { try result.get() } }
        store.fail(.none)
        try await node.send(id, "alice", .candidate, "8")
        #expect(bob.take().map { $0.payload["candidate"]?.integerValue } == [8])
    }

    @Test("Whoever leaves behind them leaves when they are passed on")
    func leaving() async throws {
        let fixture = try await ServiceFixture()
        let node = try fixture.node()
        let (id, alice, bob) = try await fixture.activeCall(node)
        let outcomes = Outcomes()
        for number in 0..<5 { hand(node, id, "alice", number, outcomes) }
        _ = try await node.service.leaveCall(id, session: alice.id, by: Node.identity("alice"))
        let all = try await outcomes.first(5)
        #expect(try all.map { try $0.result.get().isDelivered } == Array(repeating: true, count: 5))
        let heard = bob.takeNames()
        #expect(heard == Array(repeating: "ice-candidate", count: 5) + ["user-left", "call-ended"])
    }
}
