import NetPrimitives
import PacketIO
import TURNRelay

/// An ICMP error about a datagram from the relay socket `socket`, on its way to the shard that has it.
struct ICMPNotice: Hashable, Sendable {
    let error: ICMPError
    let socket: SocketID
}

extension RelayShard {
    /// Hears some of the ICMP errors that wait, for all shards; the rest waits for the next pass, behind everything else.
    mutating func receiveICMP() {
        for source in icmpSources {
            if ring.free < Bounds.icmpBurst { sendAndReuseSlots() }
            let descriptor = source.socket.descriptor.rawValue
            let (count, _) = receiver.receive(from: descriptor, limit: Bounds.icmpBurst, into: &ring)
            for index in 0..<count {
                let datagram = receiver.datagram(at: index)
                counts.add(.icmpErrors)
                guard
                    let error = ICMPError.parse(ring.bytes(of: datagram), family: source.socket.family),
                    let place = directory.place(of: error.source)
                else {
                    // About another program's datagram, most likely.
                    counts.add(DropReason.unsolicitedICMP)
                    continue
                }
                deliver(ICMPNotice(error: error, socket: place.socket), to: Int(place.shard))
            }
        }
    }

    private mutating func deliver(_ notice: ICMPNotice, to shard: Int) {
        guard shard != index else { return passOn(notice) }
        if !mailboxes[shard].leave(notice) { counts.add(DropReason.overload) }
    }

    /// Tells the client whose relay socket it is, if it may hear of it.
    mutating func passOn(_ notice: ICMPNotice) {
        turn.handleICMP(notice.error, on: notice.socket, now: now, random: &random, into: &effects)
        applyEffects()
    }
}
