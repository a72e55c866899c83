import CallModel
import CallStore
import CallStoreTestSupport
import Testing

@Suite("Relay use in the store")
struct RelayUseTests {
    @Test(
        "Bytes are added up by participant, survive the store, and touch no version",
        arguments: TestDatabase.allCases
    )
    func adds(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let commit = try StoreFixture.newCall()
        let id = commit.transition.call.id
        _ = try await fixture.store.create(commit)
        #expect(try await fixture.store.call(id)?.participants.allSatisfy { $0.relay == nil } == true)
        let big = Int64(UInt32.max) * 4
        for _ in 0..<2 {
            try await fixture.store.addRelayUse([
                CallRelayUse(callID: id, userID: "@alice:hs", use: RelayUse(bytesSent: big, bytesReceived: 7)),
                CallRelayUse(callID: id, userID: "@bob:hs", use: RelayUse()),
            ])
        }
        let reopened = try fixture.database.open()
        let call = try #require(try await reopened.call(id))
        #expect(call.participant("@alice:hs")?.relay == RelayUse(bytesSent: 2 * big, bytesReceived: 14))
        #expect(call.participant("@bob:hs")?.relay == RelayUse())
        #expect(call.version == commit.transition.call.version)
        try await reopened.close()
    }

    @Test(
        "Use by nobody of the audience, or of a call that is gone, is passed over; pruning takes it along",
        arguments: TestDatabase.allCases
    )
    func strangers(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let commit = try StoreFixture.newCall()
        let id = commit.transition.call.id
        _ = try await fixture.store.create(commit)
        var generator = SystemRandomNumberGenerator()
        try await fixture.store.addRelayUse([
            CallRelayUse(callID: id, userID: "@mallory:hs", use: RelayUse(bytesSent: 1)),
            CallRelayUse(callID: .random(using: &generator), userID: "@alice:hs", use: RelayUse(bytesSent: 1)),
            CallRelayUse(callID: id, userID: "@alice:hs", use: RelayUse(bytesSent: 1)),
        ])
        let count = { try await fixture.database.count("SELECT count(*) FROM call_relay") }
        #expect(try await count() == 1)
        _ = try await fixture.act(.end(nil), id, by: Actor(userID: "@alice:hs"))
        let later = StoreFixture.start.advanced(byMilliseconds: 1)
        #expect(try await fixture.store.prune(endedBefore: later, keysBefore: later, limit: 9) == 1)
        #expect(try await count() == 0)
    }

    @Test(
        "The audit tells of allocations, also after the call's end, with sizes beyond 32 bits",
        arguments: TestDatabase.allCases
    )
    func audit(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        let commit = try StoreFixture.newCall()
        let id = commit.transition.call.id
        _ = try await fixture.store.create(commit)
        let alice = Actor(userID: "@alice:hs")
        _ = try await fixture.act(.relayAllocated, id, by: alice)
        _ = try await fixture.act(.end(nil), id, by: alice)
        let bytes = Int64(1) << 40
        _ = try await fixture.act(.relayReleased(.callEnded, bytes: bytes), id, by: alice)
        let events = try await fixture.store.events(of: id, after: 0, limit: 100)
        #expect(events.map(\.kind).contains(.relayAllocated))
        #expect(events.last?.kind == .relayReleased(.callEnded, bytes: bytes))
        #expect(events.last?.userID == "@alice:hs" && events.last?.deviceID == nil)
        #expect(try await fixture.store.call(id)?.state == .ended)
    }

    @Test(
        "Ended calls are found in the order in which they ended, the newest of too many",
        arguments: TestDatabase.allCases
    )
    func ended(_ database: TestDatabase) async throws {
        let fixture = try await StoreFixture(database)
        var ids: [CallID] = []
        for number in 0..<4 {
            let commit = try StoreFixture.newCall(room: "!\(number)")
            let id = commit.transition.call.id
            _ = try await fixture.store.create(commit)
            ids.append(id)
            guard number < 3 else { continue }
            let time = StoreFixture.start.advanced(byMilliseconds: Int64(number) * 1000)
            _ = try await fixture.act(.end(nil), id, by: Actor(userID: "@alice:hs"), at: time)
        }
        let before = StoreFixture.start.advanced(byMilliseconds: -1)
        #expect(try await fixture.store.callsEnded(after: before, limit: 9).map(\.callID) == Array(ids.prefix(3)))
        #expect(try await fixture.store.callsEnded(after: before, limit: 2).map(\.callID) == Array(ids[1...2]))
        #expect(
            try await fixture.store.callsEnded(after: StoreFixture.start, limit: 9).map(\.callID) == Array(ids[1...2])
        )
    }
}
