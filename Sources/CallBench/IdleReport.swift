public import BenchCore

/// What idle connections cost, in the shape of `--json`.
public struct IdleReport: BenchReport, Codable, Hashable, Sendable {
    /// The kind of report: `idle`.
    public var kind = "idle"
    /// The server's URL.
    public var target: String
    /// `websocket` or `polling`.
    public var transport: String
    /// Connections that were made and stayed.
    public var connections: Int
    /// Connecting them all.
    public var connectSeconds: Double
    /// Resident memory of the server before.
    public var memoryBytesBefore: UInt64
    /// Resident memory of the server with all of them connected.
    public var memoryBytesAfter: UInt64
    /// What each took.
    public var memoryBytesEach: Double
    /// The server's threads while nothing but heartbeats passed, by connection and second, in microseconds.
    public var idleCPUMicrosecondsEachSecond: Double

    /// A report with every figure.
    public init(
        target: String,
        transport: String,
        connections: Int,
        connectSeconds: Double,
        memoryBytesBefore: UInt64,
        memoryBytesAfter: UInt64,
        idleCPUMicrosecondsEachSecond: Double
    ) {
        self.target = target
        self.transport = transport
        self.connections = connections
        self.connectSeconds = connectSeconds
        self.memoryBytesBefore = memoryBytesBefore
        self.memoryBytesAfter = memoryBytesAfter
        memoryBytesEach = (Double(memoryBytesAfter) - Double(memoryBytesBefore)) / Double(max(connections, 1))
        self.idleCPUMicrosecondsEachSecond = idleCPUMicrosecondsEachSecond
    }

    /// The closing table, for people.
    public var table: String {
        var table = ReportTable()
        table.add("server", target)
        table.add("connections", "\(connections) by \(transport), in \(Decimals.text(connectSeconds, 2)) s")
        table.add(
            "server memory",
            "\(memoryBytesBefore / 1024) KiB before, \(memoryBytesAfter / 1024) KiB with them: "
                + "\(Decimals.text(memoryBytesEach / 1024, 2)) KiB each"
        )
        table.add("idle CPU", "\(Decimals.text(idleCPUMicrosecondsEachSecond, 2)) µs a connection and second")
        return table.text
    }
}
