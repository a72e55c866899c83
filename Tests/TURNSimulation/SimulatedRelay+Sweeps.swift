import NetPrimitives
import TURNRelay

extension SimulatedRelay {
    /// How many slots a server's shard visits at a time.
    private static let part = 1024
    private static let leastPasses = 3

    /// Nanoseconds to visit a slot in which nothing has expired; `leastVisits` of them at least, in whole passes.
    mutating func sweepIdle(leastVisits: Int) throws(SimulationFailure) -> Double {
        let later = start.advanced(bySeconds: 1)
        let span = shard.sweepSpan
        let passes = max(Self.leastPasses, (leastVisits + span - 1) / span)
        let begin = ProcessFigures.cpuNanoseconds()
        for _ in 0..<passes {
            for first in stride(from: 0, to: span, by: Self.part) {
                shard.sweep(now: later, limit: min(Self.part, span - first), into: &effects)
            }
        }
        let nanoseconds = ProcessFigures.cpuNanoseconds() - begin
        guard span == count, effects.count == 0, shard.allocationCount == count else {
            throw SimulationFailure("a sweep through \(span) slots changed something before its time")
        }
        return Double(nanoseconds) / Double(passes * span)
    }

    /// Nanoseconds to close an allocation whose time is over, by the sweep through all of them.
    mutating func expireAll() throws(SimulationFailure) -> Double {
        let later = start.advanced(bySeconds: TURNLimits().maximumLifetimeSeconds + 1)
        var sockets = 0
        var allocations = 0
        let begin = ProcessFigures.cpuNanoseconds()
        repeat {
            shard.sweep(now: later, limit: Self.part, into: &effects)
            try carryOut()
            sockets += told.closedSockets
            allocations += told.expired
        } while told.expired > 0
        let nanoseconds = ProcessFigures.cpuNanoseconds() - begin
        guard sockets == count, allocations == count, shard.allocationCount == 0 else {
            throw SimulationFailure("of \(count) allocations \(allocations) expired, with \(sockets) sockets")
        }
        return Double(nanoseconds) / Double(count)
    }
}
