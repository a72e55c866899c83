import CallModel
import Testing

@Suite("Any order of acts")
struct CallModelPropertyTests {
    static let users = ["alice", "bob", "carol"]

    @Test("Random acts of three users with two devices keep every promise", arguments: 0..<200)
    func invariants(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        var scenario = try CallScenario(invitees: ["@bob:hs", "@carol:hs"], group: Bool.random(using: &generator))
        var winners: Set<String> = []
        for step in 0..<200 {
            let before = scenario.call
            let user = Self.users.randomElement(using: &generator) ?? "alice"
            let device = Int.random(in: 1...2, using: &generator)
            do throws(CallFailure) {
                let kinds = try Self.act(&scenario, user, device, &generator)
                if kinds.contains(.answered) { winners.insert("\(user)\(device)") }
            } catch {
                #expect(scenario.call == before, "seed \(seed), step \(step): a refused act changed the call")
            }
            Self.check(scenario, before, "seed \(seed), step \(step)")
        }
        if !scenario.call.isGroup { #expect(winners.count <= 1, "seed \(seed)") }
        scenario.wait(10_000_000)
        #expect(scenario.call.state == .ended || scenario.call.nextDeadline == nil, "seed \(seed)")
    }

    static func act(
        _ scenario: inout CallScenario,
        _ user: String,
        _ number: Int,
        _ generator: inout SeededGenerator
    ) throws(CallFailure) -> [CallEventKind] {
        let device = user == "alice" ? "A" : "\(user)\(number)"
        let session = "\(device)-\(Int.random(in: 1...2, using: &generator))"
        switch Int.random(in: 0..<24, using: &generator) {
        case 0: return try scenario.act(.ring, user)
        case 1, 2: return try scenario.act(.answer(description: nil), user, device: device)
        case 3: return try scenario.act(.reject(Bool.random(using: &generator) ? .busy : nil), user)
        case 4 where Bool.random(using: &generator): return try scenario.act(.end(nil), user, device: device)
        case 5 where Bool.random(using: &generator): return try scenario.act(.leave, user, session: session)
        case 6...10: return try scenario.act(.join(after: nil), user, device: device, session: session)
        case 11, 12:
            let after = Int64.random(in: 0...scenario.call.sequence, using: &generator)
            return try scenario.act(.join(after: after), user, device: device, session: session)
        case 13, 14: return try scenario.act(.disconnect, user, session: session)
        case 15, 16: return try scenario.act(.toggleAudio(Bool.random(using: &generator)), user)
        case 17...20:
            return try scenario.act(.signal([Signal(kind: .candidate, to: nil, payload: "null")]), user)
        case 21: return scenario.wait(Int64.random(in: 0...40_000, using: &generator))
        default: return scenario.wait(Int64.random(in: 0...2000, using: &generator))
        }
    }

    static func check(_ scenario: CallScenario, _ before: Call, _ place: String) {
        let call = scenario.call
        let order = CallState.allCases
        #expect(scenario.events.map(\.sequence) == Array(1...call.sequence), "\(place): a hole")
        #expect((call.version > before.version) == (call != before), "\(place): version")
        #expect(call.version <= before.version + 1, "\(place): version")
        if let old = order.firstIndex(of: before.state), let new = order.firstIndex(of: call.state) {
            #expect(new >= old, "\(place): \(before.state) became \(call.state)")
        }
        #expect((call.state == .ended) == (call.endReason != nil), "\(place): reason")
        for participant in call.participants {
            #expect((participant.state == .reconnecting) == (participant.graceDeadline != nil), "\(place): grace")
            if participant.session != nil { #expect(participant.state == .joined, "\(place): session") }
        }
        if call.state == .ended {
            #expect(call.present.isEmpty, "\(place): somebody is still in")
            if before.state == .ended, call != before {
                #expect(before.purgeDeadline != nil, "\(place): changed after end")
            }
        } else if !call.isGroup, call.state != .ringing {
            #expect(call.present.count == 2, "\(place): \(call.present.count) in a 1:1 call")
        } else {
            #expect(!call.present.isEmpty, "\(place): nobody is in")
        }
        if call.state == .ringing { #expect(call.ringDeadline != nil, "\(place): rings for ever") }
        if call.state == .connecting { #expect(call.connectDeadline != nil, "\(place): connects for ever") }
    }
}
