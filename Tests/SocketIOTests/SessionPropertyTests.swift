import NetPrimitives
import Testing

@testable import SocketIO

@Suite("Sessions, for any history")
struct SessionPropertyTests {
    private static let packets = [
        "1", "2", "2probe", "3", "4", "40", "40/custom,", "40/none", "41", "42[\"x\"]", "421[\"x\",1]", "43[1]", "4abc",
        "451-[\"x\",{\"_placeholder\":true,\"num\":0}]", "5", "6", "bAQID", "x", "", "3\u{1E}40\u{1E}42[\"y\"]",
    ]

    /// A random act of the client, the network, the clock or the application.
    private func act(
        on harness: inout SessionHarness,
        pending: inout [EngineRequestID],
        sockets: [String],
        using random: inout SeededGenerator
    ) {
        let packet = Self.packets[Int.random(in: 0..<Self.packets.count, using: &random)]
        let webSocket = EngineWebSocketID(rawValue: UInt64.random(in: 1...3, using: &random))
        switch Int.random(in: 0..<16, using: &random) {
        case 0...2: pending.append(harness.poll())
        case 3...4: pending.append(harness.post(packet))
        case 5:
            let request = harness.newRequest()
            pending.append(request)
            harness.apply(.postBegan(request, isBinary: Bool.random(using: &random)))
        case 6:
            guard let request = pending.randomElement(using: &random) else { return }
            harness.apply(Bool.random(using: &random) ? .postReceived(request, body: packet) : .postTooLarge(request))
        case 7:
            guard let index = pending.indices.randomElement(using: &random) else { return }
            harness.apply(.requestAborted(pending.remove(at: index)))
        case 8: harness.apply(.webSocketJoined(webSocket))
        case 9...10:
            let message = Bool.random(using: &random) ? EngineMessage.text(packet) : .binary([1])
            harness.apply(.webSocketReceived(webSocket, message))
        case 11: harness.apply(.webSocketWritable(webSocket, Bool.random(using: &random)))
        case 12: harness.wait(milliseconds: UInt64.random(in: 0...400, using: &random))
        case 13: harness.apply(.backlogged(Bool.random(using: &random)))
        case 14:
            guard let socket = sockets.randomElement(using: &random) else { return }
            let commands: [SocketCommand] = [
                .accept(socket), .accept(socket), .refuse(socket, message: "m", data: nil), .unavailable(socket),
                .emit(socket, event: "e", arguments: [1], attachments: [[1]]),
                .acknowledge(socket, id: 1, SocketReply([])), .disconnect(socket, closeTransport: false),
            ]
            harness.command(commands[Int.random(in: 0..<commands.count, using: &random)])
        default:
            if Int.random(in: 0..<20, using: &random) == 0 {
                harness.apply(.webSocketClosed(webSocket, .transportClose))
            }
        }
    }

    @Test("requests are answered once, ends come once, and nobody is left waiting", arguments: seeds)
    func invariants(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for round in 0..<150 {
            var harness = SessionHarness(round % 2 == 0 ? .polling : .webSocket, sockets: round % 3 != 0)
            var pending: [EngineRequestID] = []
            var sockets: [String] = []
            var log = harness.take()
            for _ in 0..<60 {
                act(on: &harness, pending: &pending, sockets: sockets, using: &random)
                let effects = harness.take()
                for case .connect(let socket, _, _) in effects { sockets.append(socket) }
                log += effects
                let answered = Set(effects.answered)
                pending.removeAll { answered.contains($0) }
            }
            harness.apply(.backlogged(false), .close(.serverShuttingDown))
            harness.wait(milliseconds: 31_000)
            let ending = harness.take()
            log += ending
            let answered = Set(ending.answered)
            pending.removeAll { answered.contains($0) }
            #expect(pending.isEmpty, "left waiting: seed \(seed), round \(round)")
            check(log, context: "seed \(seed), round \(round)")
            #expect(harness.session.nextDeadline == nil, "seed \(seed), round \(round)")
            let last = harness.poll()
            #expect(harness.take().answer(to: last) == .error(.unknownSession), "seed \(seed), round \(round)")
        }
    }

    private func check(_ log: [SessionEffect], context: String) {
        var answered: Set<EngineRequestID> = []
        var accepted: Set<String> = []
        var gone: Set<String> = []
        var closedCount = 0
        var forgottenCount = 0
        for effect in log {
            switch effect {
            case .engine(.answer(let request, _)):
                #expect(answered.insert(request).inserted, "answered twice: \(context)")
            case .engine(.closed):
                closedCount += 1
            case .engine(.forget):
                #expect(closedCount == 1, "forgotten before closed: \(context)")
                forgottenCount += 1
            case .accepted(let socket):
                #expect(accepted.insert(socket).inserted && closedCount == 0, "accepted late or twice: \(context)")
            case .event(let socket, _, _):
                #expect(accepted.contains(socket) && !gone.contains(socket), "event of a stranger: \(context)")
            case .disconnected(let socket, _):
                #expect(accepted.contains(socket) && gone.insert(socket).inserted, "gone twice: \(context)")
            case .connect, .engine:
                break
            }
        }
        #expect(closedCount == 1 && forgottenCount == 1, "\(closedCount) ends, \(forgottenCount) forgotten: \(context)")
        #expect(gone == accepted, "accepted sockets left behind: \(context)")
    }
}
