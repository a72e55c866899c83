import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@testable import TURNRelay

@Suite("Hostile datagrams")
struct HostileDatagramTests {
    /// `HOSTILE_DATAGRAMS` sets how many; a million takes tens of seconds without optimisation.
    private var count: Int { environmentNumber("HOSTILE_DATAGRAMS") ?? 1_000_000 }

    @Test("a million random and mutated ones trap nothing, and neither answers nor memory grow beyond their bounds")
    func million() async throws {
        var history = try RandomHistory(seed: 42)
        var corpus: [[UInt8]] = []
        var verdicts = 0
        var relays: [SocketID] = []
        var relayed = 0
        for round in 0..<count {
            // Other tests wait for the same few threads, some of them with a time limit.
            if round % 1000 == 0 { await Task.yield() }
            if round % 20_000 == 0 {
                history.relay.advance(bySeconds: 150)
                corpus = try makeCorpus(&history)
                history.relay.shard.checkInvariants("datagram \(round)")
            }
            let flow = history.clients[round % history.clients.count].flow
            let bytes = datagram(round, corpus, &history)
            if history.relay.deliver(bytes, from: flow) == .control { verdicts += 1 }
            let sent = history.relay.takeSent()
            #expect(sent.count <= 1, "datagram \(round): \(bytes)")
            if let answer = sent.first { #expect(answer.bytes.count < 548, "datagram \(round): \(bytes)") }
            #expect(history.relay.takeEvents().count <= EffectQueue.effectsPerRequest)
            if round % 100 == 0 { relays = history.relay.leases.keys.sorted { $0.slot < $1.slot } }
            if routePeer(round, relays, &history) { relayed += 1 }
        }
        #expect(verdicts > count / 10, "enough of them reached the slow path")
        #expect(relayed > count / 100, "enough of the peers' came through: \(relayed)")
        #expect(history.relay.shard.allocationCount <= history.relay.shard.configuration.limits.allocationsPerShard)
        history.relay.shard.checkInvariants("the end")
        history.relay.advance(bySeconds: 3601)
        history.relay.sweep()
        #expect(history.relay.leases.isEmpty && history.relay.shard.flows.count == 0)
    }

    private func datagram(_ round: Int, _ corpus: [[UInt8]], _ history: inout RandomHistory) -> [UInt8] {
        switch round % 32 {
        case 0: history.requestBytes(history.pick(Self.methods), history.clients[round % history.clients.count])
        case 1: oddRequest(history.clients[round % history.clients.count], &history)
        case 2...7: randomBytes(&history)
        default: history.mutated(history.pick(corpus))
        }
    }

    private static let methods: [MessageMethod] = [.allocate, .refresh, .createPermission, .channelBind, .binding]

    /// Well-formed messages of all kinds, some of them in force.
    private func makeCorpus(_ history: inout RandomHistory) throws -> [[UInt8]] {
        for _ in 0..<30 { try history.step() }
        var corpus: [[UInt8]] = []
        for client in history.clients {
            for method in Self.methods { corpus.append(history.requestBytes(method, client)) }
        }
        for peer in history.peers {
            for _ in 0..<8 { corpus.append(sendIndication([1, 2, 3], to: peer)) }
        }
        for number: UInt16 in 0x4000...0x4003 {
            for _ in 0..<10 { corpus.append(channelData([1, 2, 3], number)) }
        }
        for _ in 0..<20 { corpus.append(stunMessage(MessageType(.binding, .request), fingerprint: true)) }
        return corpus
    }

    /// A request whose integrity is right and whose attributes are anything.
    private func oddRequest(_ client: Client, _ history: inout RandomHistory) -> [UInt8] {
        let types: [UInt16] = [0x0C, 0x0D, 0x12, 0x12, 0x12, 0x16, 0x17, 0x18, 0x19, 0x19, 0x1A, 0x22, 0x8000, 0x24]
        var values: [(AttributeType, [UInt8])] = []
        for _ in 0..<Int.random(in: 0...5, using: &history.random) {
            let type = AttributeType(rawValue: history.pick(types))
            let length = history.pick([0, 1, 4, 4, 8, 8, 20, 37])
            values.append((type, (0..<length).map { _ in history.random.byte() & history.pick([1, 17, 255]) }))
        }
        return history.relay.requestBytes(history.pick(Self.methods), from: client) { builder in
            for (type, value) in values { builder.append(type, value.span.rawBytes) }
        }
    }

    private func randomBytes(_ history: inout RandomHistory) -> [UInt8] {
        let count = history.pick([0, 1, 3, 4, 8, 19, 20, 24, 40, 64])
        var bytes = (0..<count).map { _ in history.random.byte() }
        if count >= 8, history.random.byte() & 3 != 0 {
            bytes[0] = history.random.byte() & 1
            bytes[2] = 0
            bytes[3] = UInt8(max(0, count - 20))
            for (offset, byte) in [0x21, 0x12, 0xA4, 0x42].enumerated() { bytes[4 + offset] = UInt8(byte) }
        }
        return bytes
    }

    /// A peer's datagram to one of `relays`, or to a socket that is long gone or never was. Answers whether it is relayed.
    private func routePeer(_ round: Int, _ relays: [SocketID], _ history: inout RandomHistory) -> Bool {
        let word = history.random.next()
        var socket = SocketID(slot: UInt32(truncatingIfNeeded: word) & 63, generation: 0)
        if word & 0x700 != 0, !relays.isEmpty { socket = relays[Int(word >> 16 & 0xFF) % relays.count] }
        let verdict = history.relay.shard.routePeer(
            byteCount: Int(truncatingIfNeeded: word >> 48),
            from: history.peers[round % history.peers.count],
            on: socket,
            now: history.relay.now
        )
        #expect(verdict != .control)
        return verdict.delivery != nil
    }
}
