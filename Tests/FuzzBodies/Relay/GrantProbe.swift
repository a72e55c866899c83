import NetPrimitives
import STUNCore
import TURNRelay

/// What was just granted has to work at once: the ledger alone would be content with a relay that drops everything.
enum GrantProbe {
    static func check(_ request: RelayRequestText, in world: inout RelayWorld) throws(FuzzFinding) {
        // Whether an own relay lives there is another question than whether it may be reached.
        guard request.peers.allSatisfy({ !RelayCast.ownPeers.contains($0) }) else { return }
        switch request.method {
        case .createPermission:
            for peer in request.peers where peer.port != 0 { try checkSend(to: peer, request.flow, in: &world) }
        case .channelBind:
            guard let peer = request.peers.first, let number = request.channels.first else { return }
            try checkSend(to: peer, request.flow, in: &world)
            let bytes = channelData(number, [1], length: 1)
            let verdict = world.shard.route(bytes.span.rawBytes, from: request.flow, now: world.now)
            guard case .forward(let forward) = verdict else {
                throw FuzzFinding(description: "channel \(number) was granted and is not served: \(verdict)")
            }
            try expect(forward.destination == peer, "channel \(number) leads to \(forward.destination)")
            let down = world.shard.routePeer(byteCount: 1, from: peer, on: forward.socket, now: world.now)
            guard case .forward(let answer) = down else {
                throw FuzzFinding(description: "the peer of channel \(number) is not heard: \(down)")
            }
            try expect(answer.framing == .channelData(number), "the peer of channel \(number) is told of otherwise")
        default: break
        }
    }

    private static func checkSend(to peer: Endpoint, _ flow: Flow, in world: inout RelayWorld) throws(FuzzFinding) {
        let bytes = sendIndication(to: peer, payload: [1, 2], dontFragment: false)
        let verdict = world.shard.route(bytes.span.rawBytes, from: flow, now: world.now)
        guard case .forward(let forward) = verdict else {
            throw FuzzFinding(description: "\(peer) was granted and is not served: \(verdict)")
        }
        try expect(forward.destination == peer, "what is for \(peer) goes to \(forward.destination)")
    }

    static func sendIndication(to peer: Endpoint, payload: [UInt8], dontFragment: Bool) -> [UInt8] {
        var builder = MessageBuilder(capacity: 256)
        builder.begin(MessageType(.send, .indication), TransactionID(high: 2, low: 2))
        builder.appendXORAddress(.xorPeerAddress, peer)
        if dontFragment { builder.appendDontFragment() }
        builder.append(.data, payload.span.rawBytes)
        guard let range = builder.finish() else { return [] }
        return builder.bytes(in: range).copied()
    }

    static func channelData(_ number: UInt16, _ payload: [UInt8], length: UInt16) -> [UInt8] {
        let header = UInt32(number) << 16 | UInt32(length)
        return (0..<4).map { UInt8(truncatingIfNeeded: header >> (24 - 8 * UInt32($0))) } + payload
    }
}
