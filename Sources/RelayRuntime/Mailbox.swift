import PacketIO
import Synchronization

/// What the rest of the server may ask of a shard.
struct ShardOrders: Sendable {
    /// Take no new allocation; end at this point of the monotonic clock, in nanoseconds, or when none is left.
    var drainDeadlineNanoseconds: UInt64?
}

/// The only way into a running shard: its orders and a bell. Bounded by its shape: an order joins the one of its kind
/// that was not yet taken.
final class Mailbox: Sendable {
    let wakeup: Wakeup
    private let waiting = Mutex(ShardOrders())

    init() throws(SystemError) {
        wakeup = try Wakeup()
    }

    /// Leaves the order to drain; the earliest deadline counts.
    func drain(deadlineNanoseconds deadline: UInt64) {
        waiting.withLock { orders in
            orders.drainDeadlineNanoseconds = min(orders.drainDeadlineNanoseconds ?? deadline, deadline)
        }
        wakeup.signal()
    }

    /// Takes what is waiting.
    func collect() -> ShardOrders {
        wakeup.clear()
        return waiting.withLock { orders in
            defer { orders = ShardOrders() }
            return orders
        }
    }
}
