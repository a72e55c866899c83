internal import Histogram

/// How long things took.
public struct LatencyRecorder: Sendable {
    /// Longer ones count as this long.
    public static let longestNanoseconds: UInt64 = 60_000_000_000

    private var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 1,
        highestTrackableValue: LatencyRecorder.longestNanoseconds,
        numberOfSignificantValueDigits: .three
    )

    /// How many were recorded.
    public private(set) var count: UInt64 = 0

    /// Nothing recorded yet.
    public init() {}

    /// Takes one in.
    public mutating func record(nanoseconds: UInt64) {
        _ = histogram.record(min(nanoseconds, Self.longestNanoseconds))
        count += 1
    }

    /// The time that `percent` of them did not exceed, in nanoseconds; 0 if there is none.
    public func nanoseconds(percent: Double) -> UInt64 { count == 0 ? 0 : histogram.valueAtPercentile(percent) }

    /// The longest, in nanoseconds; 0 if there is none.
    public var maximumNanoseconds: UInt64 { count == 0 ? 0 : histogram.max }

    /// What a report says of them.
    public var figures: LatencyFigures {
        LatencyFigures(
            count: count,
            p50: Double(nanoseconds(percent: 50)) / 1e6,
            p95: Double(nanoseconds(percent: 95)) / 1e6,
            p99: Double(nanoseconds(percent: 99)) / 1e6,
            p99_9: Double(nanoseconds(percent: 99.9)) / 1e6,
            max: Double(maximumNanoseconds) / 1e6
        )
    }
}

/// Percentiles of latencies, in milliseconds.
public struct LatencyFigures: Codable, Hashable, Sendable {
    /// How many there were.
    public var count: UInt64
    /// Half of them took no longer.
    public var p50: Double
    /// 95 of 100 took no longer.
    public var p95: Double
    /// 99 of 100 took no longer.
    public var p99: Double
    /// 999 of 1,000 took no longer.
    public var p99_9: Double
    /// The longest.
    public var max: Double

    /// For a table.
    public var text: String {
        let times = [("p50", p50), ("p95", p95), ("p99", p99), ("p99.9", p99_9), ("max", max)]
        return times.map { "\($0.0) \(Decimals.text($0.1, 2))" }.joined(separator: ", ") + " ms"
    }
}
