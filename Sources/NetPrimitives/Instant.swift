/// A point on the monotonic clock in nanoseconds. Cores are handed one; they never read a clock.
public struct Instant: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// Nanoseconds since an arbitrary origin that is fixed for the life of the process.
    public let nanoseconds: UInt64

    /// A point `nanoseconds` after the origin.
    @inlinable
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Whether `left` is earlier than `right`.
    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The point `seconds` later; stops at the end of time instead of trapping.
    @inlinable
    public func advanced(bySeconds seconds: UInt32) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(UInt64(seconds) &* 1_000_000_000)
        return Instant(nanoseconds: overflow ? .max : sum)
    }
}
