import CPacketIO
public import NetPrimitives

/// The machine's clocks. Whoever processes packets reads them once a batch, not once a packet.
public enum SystemClock {
    /// The monotonic clock; unaffected by changes of the time of day.
    public static func now() -> Instant { Instant(nanoseconds: packet_monotonic_nanoseconds()) }

    /// Blocks the calling thread until `instant`; on a thread of one's own alone.
    public static func sleep(until instant: Instant) { packet_sleep_until(instant.nanoseconds) }

    /// Seconds since 1970 by the time of day, a few milliseconds coarse.
    public static func unixSeconds() -> UInt64 { packet_unix_seconds() }
}
