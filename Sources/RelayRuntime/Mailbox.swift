import Locking
import PacketIO
import TURNRelay

/// What the rest of the server may ask of a shard.
struct ShardOrders: Sendable {
    /// How a drain goes on.
    struct Drain: Sendable {
        /// End at this point of the monotonic clock, in nanoseconds, or when no allocation is left.
        var deadlineNanoseconds: UInt64
        /// Where new clients are sent.
        var alternates: AlternateServers
    }

    /// Take no new allocation.
    var drain: Drain?
    /// Calls that are over, in the order in which they ended.
    var endedCalls: [EndedCall] = []
    /// ICMP errors about datagrams of the shard's relays, oldest first.
    var icmp: [ICMPNotice] = []
}

/// The only way into a running shard: its orders and a bell. Bounded: an order to drain joins the one that was not yet
/// taken, and of calls and ICMP errors so many wait and no more.
final class Mailbox: Sendable {
    /// Calls that may wait for a shard. One that does not read its mail for so many has stopped.
    static let callLimit = 65_536
    /// Calls handed over in one go, so that a pass stays short.
    static let callsPerPass = 256

    let wakeup: Wakeup
    private let waiting = Locked(ShardOrders())

    init() throws(SystemError) {
        wakeup = try Wakeup()
    }

    /// Leaves the order to drain; the earliest deadline and the newest alternates count.
    func drain(deadlineNanoseconds deadline: UInt64, alternates: AlternateServers) {
        waiting.withLock { orders in
            let earliest = min(orders.drain?.deadlineNanoseconds ?? deadline, deadline)
            orders.drain = ShardOrders.Drain(deadlineNanoseconds: earliest, alternates: alternates)
        }
        wakeup.signal()
    }

    /// ICMP errors that wait at most; the next is lost, as on any busy router.
    static let icmpLimit = 256

    /// Leaves an ICMP error; false if there are too many.
    func leave(_ notice: ICMPNotice) -> Bool {
        let isFirst: Bool? = waiting.withLock { orders in
            guard orders.icmp.count < Mailbox.icmpLimit else { return nil }
            orders.icmp.append(notice)
            return orders.icmp.count == 1
        }
        // The bell rings from the first on, until all are taken.
        if isFirst == true { wakeup.signal() }
        return isFirst != nil
    }

    /// Leaves word that a call is over; false if the list is full.
    func endCall(_ call: EndedCall) -> Bool {
        let fits = waiting.withLock { orders in
            guard orders.endedCalls.count < Self.callLimit else { return false }
            orders.endedCalls.append(call)
            return true
        }
        if fits { wakeup.signal() }
        return fits
    }

    /// Takes what is waiting; of the calls at most `callsPerPass`, and the bell rings again for the rest.
    func collect() -> ShardOrders {
        wakeup.clear()
        let (taken, isMore) = waiting.withLock { orders in
            var taken = orders
            orders.drain = nil
            orders.icmp = []
            if orders.endedCalls.count > Self.callsPerPass {
                taken.endedCalls = Array(orders.endedCalls.prefix(Self.callsPerPass))
                orders.endedCalls.removeFirst(Self.callsPerPass)
                return (taken, true)
            }
            orders.endedCalls = []
            return (taken, false)
        }
        if isMore { wakeup.signal() }
        return taken
    }
}
