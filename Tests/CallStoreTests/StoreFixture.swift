import CallModel
import CallStore
import CallStoreTestSupport
import Testing

/// A migrated store in a database of its own.
final class StoreFixture: Sendable {
    let database: TestDatabase.Place
    let store: any CallDatabase

    init(_ database: TestDatabase) async throws {
        self.database = try await database.place()
        store = try self.database.open()
        let applied = try await store.migrate()
        #expect(applied.map(\.version) == Array(4...8))
    }

    deinit {
        Task { [store] in
            do { try await store.close() } catch { Issue.record("the store could not be closed: \(error)") }
        }
    }

    static let start = Timestamp(milliseconds: 1_764_000_000_000)
    static let policy = CallPolicy()

    static func newCall(
        room: String = "!room",
        by creator: String = "@alice:hs",
        for invitees: [String] = ["@bob:hs"],
        at now: Timestamp = start
    ) throws -> CallCommit {
        let wish = CallInitiation(roomID: room, callType: .video, isRelayOnly: true, invitees: invitees)
        var generator = SystemRandomNumberGenerator()
        let transition = try wish.begin(
            id: .random(using: &generator),
            by: Actor(userID: creator, deviceID: "A"),
            audience: invitees,
            reachable: [],
            now: now,
            policy: policy
        )
        return CallCommit(transition: transition, outgoing: [event(1, to: transition)])
    }

    /// Applies an act to the stored call and commits it.
    func act(
        _ action: CallAction,
        _ id: CallID,
        by actor: Actor,
        at now: Timestamp = start
    ) async throws -> CallTransition {
        let call = try #require(try await store.call(id))
        let transition = try call.applying(action, by: actor, now: now, policy: Self.policy)
        let outgoing = transition.events.map { Self.event($0.sequence, to: transition) }
        #expect(try await store.commit(CallCommit(transition: transition, outgoing: outgoing)) != nil)
        return transition
    }

    static func event(_ sequence: Int64, to transition: CallTransition) -> OutgoingEvent {
        OutgoingEvent(
            callID: transition.call.id,
            sequence: sequence,
            name: "ice-candidate",
            scope: .joined,
            sender: "@alice:hs",
            recipient: nil,
            body: #","é":1.0}"#
        )
    }
}
