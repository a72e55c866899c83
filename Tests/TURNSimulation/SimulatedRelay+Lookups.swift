import NetPrimitives
import TURNRelay

/// Every look-up here waits for the one before it, whose verdict names the next client: what it costs to fetch an entry
/// from memory is in the figure, as for packets that come one by one, and not hidden behind other look-ups.
extension SimulatedRelay {
    /// Nanoseconds to route ChannelData of a client.
    mutating func routeUp(_ order: [UInt32]) throws(SimulationFailure) -> Double {
        let (datagram, now) = (SimulatedClient.channelData, start)
        return try timed("ChannelData", order) { shard, client in
            shard.route(datagram.span.rawBytes, from: client.flow, now: now)
        } isRight: { forward, client in
            forward.socket == client.relaySocket && forward.destination == client.peer
        }
    }

    /// Nanoseconds to route a Send indication of a client, the writing of its peer's address among them.
    mutating func routeSend(_ order: [UInt32]) throws(SimulationFailure) -> Double {
        var datagram = SendDatagram()
        let now = start
        return try timed("Send indications", order) { shard, client in
            datagram.aim(at: client.peer)
            return shard.route(datagram.bytes.span.rawBytes, from: client.flow, now: now)
        } isRight: { forward, client in
            forward.socket == client.relaySocket && forward.destination == client.peer
        }
    }

    /// Nanoseconds to route what a client's peer sends.
    mutating func routeDown(_ order: [UInt32]) throws(SimulationFailure) -> Double {
        let now = start
        return try timed("peers' datagrams", order) { shard, client in
            shard.routePeer(
                byteCount: SimulatedClient.payloadByteCount,
                from: client.peer,
                on: client.relaySocket,
                now: now
            )
        } isRight: { forward, client in
            let flow = client.flow
            return forward.socket == flow.socket && forward.destination == flow.client
        }
    }

    @inline(__always)
    private mutating func timed(
        _ what: String,
        _ order: [UInt32],
        _ route: (inout TURNShard, SimulatedClient) -> Verdict,
        isRight: (Forward, SimulatedClient) -> Bool
    ) throws(SimulationFailure) -> Double {
        var rightCount = 0
        // Zero, as long as all is right; the processor does not know that before the verdict is there.
        var difference: UInt32 = 0
        let begin = ProcessFigures.cpuNanoseconds()
        for number in order {
            let client = SimulatedClient(number: number &+ difference)
            guard case .forward(let forward) = route(&shard, client) else { continue }
            difference = forward.meter ^ client.number
            let isWhole = Int(forward.payloadCount) == SimulatedClient.payloadByteCount
            if isWhole, isRight(forward, client) { rightCount += 1 }
        }
        let nanoseconds = ProcessFigures.cpuNanoseconds() - begin
        guard rightCount == order.count, difference == 0 else {
            throw SimulationFailure("\(order.count - rightCount) of \(order.count) \(what) were not relayed rightly")
        }
        return Double(nanoseconds) / Double(order.count)
    }
}
