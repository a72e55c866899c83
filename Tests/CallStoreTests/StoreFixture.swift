import CallModel
import Foundation
import Testing

@testable import CallStore

/// A store on a file of its own, which goes with the fixture.
final class StoreFixture {
    let folder: URL
    let store: SQLiteCallStore

    var path: String { folder.appending(path: "calls.db").path }

    init() async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "callstore-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        store = try SQLiteCallStore(path: folder.appending(path: "calls.db").path)
        #expect(try await store.migrate() == SQLiteMigration.all.map(\.migration))
    }

    deinit {
        do {
            try FileManager.default.removeItem(at: folder)
        } catch {
            Issue.record("the test's folder stays behind: \(error)")
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
        #expect(try await store.commit(CallCommit(transition: transition, outgoing: outgoing)))
        return transition
    }

    static func event(_ sequence: Int64, to transition: CallTransition) -> OutgoingEvent {
        OutgoingEvent(
            sequence: sequence,
            name: "ice-candidate",
            scope: .joined,
            sender: "@alice:hs",
            recipient: nil,
            payload: #"{"callId":"\#(transition.call.id.rawValue)","seq":\#(sequence),"é":1.0}"#
        )
    }
}
