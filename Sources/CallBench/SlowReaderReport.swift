public import BenchCore

/// What clients cost that do not read, in the shape of `--json`.
public struct SlowReaderReport: BenchReport, Codable, Hashable, Sendable {
    /// The kind of report: `slow-reader`.
    public var kind = "slow-reader"
    /// The server's URL.
    public var target: String
    /// Clients that stopped reading.
    public var readers: Int
    /// Those that the server disconnected.
    public var cut: Int
    /// Events that were sent to them until then, or until the end.
    public var events: UInt64
    /// Bytes of an event's payload.
    public var eventBytes: Int
    /// Resident memory of the server before.
    public var memoryBytesBefore: UInt64
    /// The most that was seen.
    public var memoryBytesPeak: UInt64
    /// What each took at most.
    public var memoryBytesEach: Double

    /// A report with every figure.
    public init(
        target: String,
        readers: Int,
        cut: Int,
        events: UInt64,
        eventBytes: Int,
        memoryBytesBefore: UInt64,
        memoryBytesPeak: UInt64
    ) {
        self.target = target
        self.readers = readers
        self.cut = cut
        self.events = events
        self.eventBytes = eventBytes
        self.memoryBytesBefore = memoryBytesBefore
        self.memoryBytesPeak = memoryBytesPeak
        memoryBytesEach = (Double(memoryBytesPeak) - Double(memoryBytesBefore)) / Double(max(readers, 1))
    }

    /// The closing table, for people.
    public var table: String {
        var table = ReportTable()
        table.add("server", target)
        table.add("readers", "\(readers) that stopped reading, \(cut) of them disconnected by the server")
        table.add("sent", "\(events) events of \(eventBytes) bytes")
        table.add(
            "server memory",
            "\(memoryBytesBefore / 1024) KiB before, \(memoryBytesPeak / 1024) KiB at most: "
                + "\(Decimals.text(memoryBytesEach / 1024, 0)) KiB each"
        )
        return table.text
    }
}
