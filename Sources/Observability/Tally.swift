import Locking

/// Counts how often each of a few things happened. The things are ours, never a client's words: they are never forgotten.
public final class Tally<Thing: Hashable & Sendable>: Sendable {
    private let counts = Locked<[Thing: UInt64]>([:])

    /// With these known from the beginning, so that their first time is seen as a step from zero.
    public init(_ known: [Thing] = []) {
        counts.withLock { counts in for thing in known { counts[thing] = 0 } }
    }

    /// It happened once more.
    public func count(_ thing: Thing) { counts.withLock { $0[thing, default: 0] += 1 } }

    /// All that happened, in no order.
    public var all: [Thing: UInt64] { counts.withLock { $0 } }
}
