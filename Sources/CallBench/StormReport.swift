public import BenchCore

/// What came of many clients that lost their connections at once and came back at once, in the shape of `--json`.
public struct StormReport: BenchReport, Codable, Hashable, Sendable {
    /// The kind of report: `storm`.
    public var kind = "storm"
    /// The server's URL.
    public var target: String
    /// Clients, two a call.
    public var connections: Int
    /// Those that resumed their call.
    public var resumed: Int
    /// Those that gave up.
    public var failed: Int
    /// Connections that were refused or broken off and tried again.
    public var retries: Int
    /// From the first connection to the last resume.
    public var seconds: Double
    /// From the beginning to each one's resume.
    public var resumeLatency: LatencyFigures
    /// Events that clients should have heard over the whole run.
    public var expected: UInt64
    /// Those that they heard, each once and in order.
    public var heard: UInt64
    /// Those that they did not.
    public var missing: UInt64
    /// Those that came twice or out of order.
    public var misplaced: UInt64
    /// Null if the process was not named. By client.
    public var server: ServerFigures?

    /// A report with every figure.
    public init(
        target: String,
        connections: Int,
        failed: Int,
        retries: Int,
        seconds: Double,
        latency: LatencyRecorder,
        expectedEach: UInt64,
        ledgers: [SignalLedger],
        server: ServerFigures?
    ) {
        self.target = target
        self.connections = connections
        self.failed = failed
        self.retries = retries
        self.seconds = seconds
        resumed = connections - failed
        resumeLatency = latency.figures
        expected = expectedEach * UInt64(ledgers.count)
        heard = ledgers.reduce(0) { $0 + $1.received }
        missing = ledgers.reduce(0) { $0 + $1.missing(of: expectedEach) }
        misplaced = ledgers.reduce(0) { $0 + $1.misplaced }
        self.server = server
    }

    /// The closing table, for people.
    public var table: String {
        var table = ReportTable()
        table.add("server", target)
        table.add(
            "clients",
            "\(connections) cut off at once; \(resumed) resumed, \(failed) did not, \(retries) retries"
        )
        table.add("all resumed", "after \(Decimals.text(seconds, 2)) s")
        table.add("resume", resumeLatency.text)
        table.add("events", "\(heard) of \(expected) heard; \(missing) missing, \(misplaced) misplaced")
        if let server {
            let each = Decimals.text(server.cpuMicrosecondsEach, 0)
            table.add("server CPU", "\(each) µs a client, \(Decimals.text(server.cpuShare * 100, 1)) % of a core")
            table.add("server memory", "\(server.memoryBytes / 1024) KiB resident")
        }
        return table.text
    }
}
