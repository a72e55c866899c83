import CallModel
import CallService
import CallStoreTestSupport
import Signaling
import SocketIO
import Testing

@Suite("Two nodes on one store")
struct TwoNodesTests {
    @Test("Of two devices that answer at the same time on two nodes exactly one wins", arguments: TestDatabase.allCases)
    func answerRace(_ database: TestDatabase) async throws {
        let fixture = try await ServiceFixture(database)
        let nodes = [try fixture.node(), try fixture.node()]
        for round in 0..<25 {
            let id = try await nodes[round % 2].initiate("alice", ["bob"]).call.id
            let outcomes = await withTaskGroup(of: String.self) { group in
                for (index, node) in nodes.enumerated() {
                    group.addTask {
                        do {
                            return try await node.answer(id, "bob", device: "D\(index)").call.state.rawValue
                        } catch let failure as CallFailure {
                            return failure.code
                        } catch {
                            return "\(error)"
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }.sorted()
            }
            #expect(outcomes == ["answered_elsewhere", "connecting"], "round \(round)")
            let call = try await nodes[0].service.end(id, reason: nil, by: Node.identity("alice"))
            #expect(try await fixture.audit(nodes[0], id).map(\.sequence) == Array(1...call.sequence))
        }
    }

    @Test(
        "One of two calls placed at the same time in one room is placed; the other side hears of it",
        arguments: TestDatabase.allCases
    )
    func initiateRace(_ database: TestDatabase) async throws {
        let fixture = try await ServiceFixture(database)
        let nodes = [try fixture.node(), try fixture.node()]
        for round in 0..<10 {
            let users = ["alice", "bob"]
            let admissions = try await withThrowingTaskGroup(of: CallAdmission.self) { group in
                for index in 0..<2 {
                    group.addTask { try await nodes[index].initiate(users[index], [users[1 - index]]) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(admissions.map(\.call.id)).count == 1, "round \(round)")
            #expect(admissions.count(where: \.isNew) == 1, "round \(round)")
            let id = try #require(admissions.first?.call.id)
            _ = try await nodes[0].service.end(id, reason: nil, by: Node.identity("alice"))
        }
    }

    @Test("Signals sent at once from both nodes get every number once", arguments: TestDatabase.allCases)
    func numbers(_ database: TestDatabase) async throws {
        let fixture = try await ServiceFixture(database)
        let nodes = [try fixture.node(), try fixture.node()]
        let (id, _, _) = try await fixture.activeCall(nodes[0])
        let before = try await nodes[0].service.status(id, by: Node.identity("alice")).sequence
        let numbers = try await withThrowingTaskGroup(of: Int64.self) { group in
            for index in 0..<100 {
                group.addTask {
                    let signal = Signal(kind: .candidate, to: nil, payload: "\"\(index)\"")
                    let user = Node.identity(index % 3 == 0 ? "bob" : "alice")
                    return try await nodes[index % 2].service.signal(id, [signal], by: user).sequence
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted()
        }
        #expect(numbers == Array(before + 1...before + 100))
        #expect(try await fixture.audit(nodes[0], id).map(\.sequence) == Array(1...before + 100))
    }

    @Test(
        "A node that sees a hole tells what the other node committed first, in order and once",
        arguments: TestDatabase.allCases
    )
    func holes(_ database: TestDatabase) async throws {
        let fixture = try await ServiceFixture(database)
        let here = try fixture.node()
        let there = try fixture.node()
        let (id, alice, bob) = try await fixture.activeCall(here)
        try await there.send(id, "alice", .offer, #"{"sdp":"there"}"#)
        _ = try await there.service.toggleVideo(id, enabled: true, by: Node.identity("alice"))
        #expect(bob.take().isEmpty)
        _ = try await here.service.toggleAudio(id, enabled: false, by: Node.identity("alice"))
        let heard = bob.take()
        #expect(heard.map(\.event) == ["webrtc-offer", "video-toggled", "audio-toggled"])
        #expect(heard.compactMap(\.sequence) == heard.compactMap(\.sequence).sorted())
        #expect(alice.take().isEmpty)
        _ = try await here.service.toggleAudio(id, enabled: true, by: Node.identity("alice"))
        #expect(bob.takeNames() == ["audio-toggled"])
    }

    @Test(
        "A session that moves to the other node while both are busy gets every event once, in order",
        arguments: TestDatabase.allCases
    )
    func movingSession(_ database: TestDatabase) async throws {
        let fixture = try await ServiceFixture(database)
        let here = try fixture.node()
        let there = try fixture.node()
        let (id, _, bob) = try await fixture.activeCall(here)
        var expected: [String] = []
        var heard: [String] = []
        var last = try await here.service.status(id, by: Node.identity("bob")).sequence
        var socket = bob
        for round in 0..<10 {
            let node = round % 2 == 0 ? there : here
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for index in 0..<5 {
                        do {
                            try await here.send(id, "alice", .candidate, "\"\(round)-\(index)\"")
                        } catch {
                            Issue.record("\(error)")
                        }
                    }
                }
                group.addTask { await node.service.sweep() }
            }
            expected += (0..<5).map { "\(round)-\($0)" }
            heard += Self.candidates(socket.take().map(\.payload), &last)
            let next = await node.connect("bob", "b-\(round)")
            async let racing: Void = there.send(id, "alice", .candidate, "\"r\(round)\"")
            let outcome = try await node.join(id, "bob", next, after: last)
            try await racing
            expected.append("r\(round)")
            heard += Self.candidates(outcome.missed.compactMap(\.json), &last)
            // A node tells what another committed when it acts next.
            _ = try await node.service.toggleAudio(id, enabled: round % 2 == 1, by: Node.identity("alice"))
            heard += Self.candidates(next.take().map(\.payload), &last)
            socket = next
        }
        #expect(heard == expected)
    }

    private static func candidates(_ payloads: [JSONText], _ last: inout Int64) -> [String] {
        for payload in payloads {
            let sequence = Int64(payload["seq"]?.integerValue ?? 0)
            #expect(sequence > last)
            last = sequence
        }
        return payloads.compactMap { $0["candidate"]?.stringValue }
    }

    @Test("A due deadline is acted on once, whichever node sweeps", arguments: TestDatabase.allCases)
    func sweeps(_ database: TestDatabase) async throws {
        let fixture = try await ServiceFixture(database)
        let nodes = [try fixture.node(), try fixture.node()]
        let id = try await nodes[0].initiate("alice", ["bob"]).call.id
        fixture.clock.advance(60_000)
        await withTaskGroup(of: Void.self) { group in
            for node in nodes { group.addTask { await node.service.sweep() } }
        }
        let audit = try await fixture.audit(nodes[0], id)
        #expect(audit.map(\.kind) == [.initiated, .missed, .ended(.missed)])
        fixture.clock.advance(60_000)
        for node in nodes { await node.service.sweep() }
        #expect(nodes.allSatisfy { $0.reports.all.allSatisfy { !$0.contains("storeFailed") } })
    }
}
