import NetPrimitives

extension Instant {
    /// The point `duration` later, or the end of time.
    func adding(_ duration: Duration) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return Instant(nanoseconds: overflow ? .max : sum)
    }
}

extension Duration {
    /// Nanoseconds; negative durations are zero, endless ones the largest number.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (nanoseconds, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : nanoseconds &+ UInt64(attoseconds) / 1_000_000_000
    }

    /// Milliseconds, rounded down.
    var wholeMilliseconds: UInt64 { wholeNanoseconds / 1_000_000 }
}
