/// What one client heard from one other: whether it was all, once and in order.
public struct SignalLedger: Hashable, Sendable {
    /// Candidates that came, each counted once.
    public private(set) var received: UInt64 = 0
    /// Candidates that came again, or behind one that was sent later.
    public private(set) var misplaced: UInt64 = 0
    private var next: UInt64 = 0

    /// Nothing heard yet.
    public init() {}

    /// Takes in the sender's candidate of this number; whether it is a new one.
    @discardableResult
    public mutating func take(_ number: UInt64) -> Bool {
        guard number >= next else {
            misplaced += 1
            return false
        }
        next = number + 1
        received += 1
        return true
    }

    /// How many of `sent` did not come.
    public func missing(of sent: UInt64) -> UInt64 { sent > received ? sent - received : 0 }
}
