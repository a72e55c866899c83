import BenchCore
public import NetPrimitives

/// What came of the payloads of one direction.
public struct LoadTotals: Sendable {
    /// Payloads that the kernel took.
    public var sent: UInt64 = 0
    /// Payloads that came, duplicates not among them.
    public private(set) var received: UInt64 = 0
    /// Payloads that came again.
    public private(set) var duplicates: UInt64 = 0
    /// Of those received: behind one that was sent later.
    public private(set) var late: UInt64 = 0

    private var latency = LatencyRecorder()
    private var windows: [SequenceWindow]
    /// Payloads due before it belong to the warm-up and count for nothing.
    private let begin: Instant

    /// Nothing sent yet, by none of `flowCount` flows; what is due before `begin` is not counted.
    public init(flowCount: Int, begin: Instant) {
        self.begin = begin
        windows = Array(repeating: SequenceWindow(), count: flowCount)
    }

    /// Counts a payload that came at `now`.
    @inline(__always)
    public mutating func take(_ stamp: PayloadStamp, now: Instant) {
        guard stamp.due >= begin, Int(stamp.flow) < windows.count else { return }
        switch windows[Int(stamp.flow)].take(stamp.sequence) {
        case .duplicate:
            duplicates += 1
            return
        case .late: late += 1
        case .inOrder: break
        }
        received += 1
        let nanoseconds = now > stamp.due ? now.nanoseconds &- stamp.due.nanoseconds : 0
        latency.record(nanoseconds: nanoseconds)
    }

    /// The latency that `percent` of the payloads did not exceed, in microseconds; 0 if none came.
    public func latencyMicroseconds(percent: Double) -> Double {
        Double(latency.nanoseconds(percent: percent)) / 1000
    }

    /// The longest latency, in microseconds.
    public var longestMicroseconds: Double { Double(latency.maximumNanoseconds) / 1000 }
}
