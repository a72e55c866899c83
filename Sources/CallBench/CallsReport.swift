public import BenchCore

/// What a load of whole calls found, in the shape of `--json`.
public struct CallsReport: BenchReport, Codable, Hashable, Sendable {
    /// The kind of report: `calls`.
    public var kind = "calls"
    /// The server's URL.
    public var target: String
    /// Calls a second that were to be placed.
    public var offeredPerSecond: Double
    /// How long was measured.
    public var seconds: Double
    /// What became of the calls.
    public var calls: CallCounts
    /// Calls a second that came to their end.
    public var completedPerSecond: Double
    /// From when a call was due to the callee's hearing that it rings.
    public var ringLatency: LatencyFigures
    /// From when a call was due to its end, both sides having heard of it.
    public var callDuration: LatencyFigures
    /// From sending an event to the other side's hearing it.
    public var eventLatency: LatencyFigures
    /// From sending an event to its acknowledgement.
    public var acknowledgementLatency: LatencyFigures
    /// Null if the process was not named. By completed call.
    public var server: ServerFigures?
    /// What else was named, in that order: further nodes, a database. By completed call.
    public var others: [ServerFigures]
    /// Of the generator's own time, what it did not spend waiting.
    public var generatorBusy: Double
    /// Why the run says nothing; empty if it does.
    public var void: [String]

    /// A report with every figure.
    public init(
        target: String,
        offeredPerSecond: Double,
        seconds: Double,
        totals: CallTotals,
        server: ServerFigures?,
        others: [ServerFigures] = [],
        generatorBusy: Double
    ) {
        self.target = target
        self.offeredPerSecond = offeredPerSecond
        self.seconds = seconds
        calls = totals.counts
        completedPerSecond = Double(totals.counts.completed) / seconds
        ringLatency = totals.ring.figures
        callDuration = totals.whole.figures
        eventLatency = totals.event.figures
        acknowledgementLatency = totals.acknowledgement.figures
        self.server = server
        self.others = others
        self.generatorBusy = generatorBusy
        void = OpenLoopRule.reasons(
            generatorBusy: generatorBusy,
            sentPerSecond: Double(totals.counts.started) / seconds,
            offeredPerSecond: offeredPerSecond
        )
    }

    /// The closing table, for people.
    public var table: String {
        var table = ReportTable()
        table.add("server", target)
        table.add("load", "\(Decimals.text(offeredPerSecond, 1)) calls/s by the clock")
        table.add(
            "calls",
            "\(calls.completed) of \(calls.started) completed, \(Decimals.text(completedPerSecond, 1))/s; "
                + "\(calls.failed) failed, \(calls.skipped) not placed for want of a free pair"
        )
        for reason in calls.failures { table.add("  failure", reason) }
        table.add("ring", ringLatency.text)
        table.add("event", eventLatency.text)
        table.add("acknowledgement", acknowledgementLatency.text)
        table.add("whole call", callDuration.text)
        if let server {
            let each = Decimals.text(server.cpuMicrosecondsEach / 1000, 2)
            table.add("server CPU", "\(each) ms a call, \(Decimals.text(server.cpuShare * 100, 1)) % of a core")
            table.add("server memory", "\(server.memoryBytes / 1024) KiB resident")
        }
        for other in others {
            let each = Decimals.text(other.cpuMicrosecondsEach / 1000, 2)
            table.add(
                "process \(other.pid)",
                "\(each) ms a call, \(Decimals.text(other.cpuShare * 100, 1)) % of a core"
            )
        }
        table.add("generator", "\(Decimals.text(generatorBusy * 100, 1)) % busy")
        for reason in void { table.add("VOID", reason) }
        return table.text
    }
}

/// What became of the calls of a load.
public struct CallCounts: Codable, Hashable, Sendable {
    /// Calls that were due and placed.
    public var started = 0
    /// Those that went all their way, with every event heard once and in order.
    public var completed = 0
    /// Those that did not.
    public var failed = 0
    /// Calls that were due while every pair of users was in a call.
    public var skipped = 0
    /// The first few reasons why calls failed.
    public var failures: [String] = []

    /// No calls.
    public init() {}
}

/// What a load of whole calls counted.
public struct CallTotals: Sendable {
    /// What became of them.
    public var counts = CallCounts()
    /// Due to ringing.
    public var ring = LatencyRecorder()
    /// Due to ended.
    public var whole = LatencyRecorder()
    /// Sent to heard.
    public var event = LatencyRecorder()
    /// Sent to acknowledged.
    public var acknowledgement = LatencyRecorder()

    /// Nothing counted.
    public init() {}

    /// Takes in a call that did not come to its end.
    public mutating func fail(_ reason: String) {
        counts.failed += 1
        if counts.failures.count < 5 { counts.failures.append(reason) }
    }
}
