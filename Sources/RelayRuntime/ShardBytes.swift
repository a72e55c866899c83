import NetPrimitives
import PacketIO
import STUNCore
import TURNRelay

// The joints between the ring, the TURN state and the send batch. Each takes the parts of a shard one by one, which is
// how the compiler sees that the bytes it lends out are not those that it lets change.

extension TURNShard {
    /// `route` for a datagram where it was received.
    mutating func route(
        _ datagram: ReceivedDatagram,
        in ring: borrowing PacketRing,
        from flow: Flow,
        now: Instant
    ) -> Verdict {
        route(ring.bytes(of: datagram), from: flow, now: now)
    }

    /// `handle` for a datagram where it was received.
    mutating func handle(
        _ datagram: ReceivedDatagram,
        in ring: borrowing PacketRing,
        from flow: Flow,
        now: Instant,
        unixSeconds: UInt64,
        into effects: inout EffectQueue
    ) {
        handle(ring.bytes(of: datagram), from: flow, now: now, unixSeconds: unixSeconds, into: &effects)
    }
}

extension RandomBytes {
    /// A transaction ID that nobody can guess (RFC 8489 §5).
    mutating func nextTransaction() -> TransactionID { TransactionID(high: nextUInt32(), low: nextUInt64()) }
}

extension SendBatch {
    /// Adds a payload behind the header that its framing asks for; an indication has `transaction` in it.
    ///
    /// What comes from a peer is payload from its first byte on: its header is written in front of it, and both leave in one
    /// piece. Of datagrams that came joined, only the first has room there; the header of each other is a piece by itself.
    mutating func append(
        _ forward: Forward,
        of datagram: ReceivedDatagram,
        in ring: inout PacketRing,
        transaction: TransactionID,
        descriptor: Int32
    ) {
        let count = Int(forward.payloadCount)
        let offset = Int(forward.payloadOffset)
        let headerByteCount = forward.framing.headerByteCount
        let isInFront = datagram.offset == 0 && offset == 0
        if isInFront {
            var header = ring.header(before: datagram, byteCount: headerByteCount)
            _ = forward.framing.writeHeader(payloadByteCount: count, transaction: transaction, into: &header)
        } else {
            var header = nextHeader
            _ = forward.framing.writeHeader(payloadByteCount: count, transaction: transaction, into: &header)
        }
        append(
            (isInFront ? 0 &- headerByteCount : offset)..<offset &+ count,
            of: datagram,
            in: ring,
            headerByteCount: isInFront ? 0 : headerByteCount,
            paddingByteCount: forward.framing.paddingByteCount(payloadByteCount: count),
            from: forward.socket,
            descriptor: descriptor,
            to: forward.destination,
            dontFragment: forward.dontFragment
        )
    }

    /// Adds a copy of a reply; false if it has to be flushed first.
    mutating func append(
        _ reply: ArenaSlice,
        of effects: borrowing EffectQueue,
        from socket: SocketID,
        descriptor: Int32,
        to destination: Endpoint
    ) -> Bool {
        append(copying: effects.bytes(reply), from: socket, descriptor: descriptor, to: destination)
    }
}
