public import BenchCore

/// What a load of acknowledged events found, in the shape of `--json`.
public struct EventsReport: BenchReport, Codable, Hashable, Sendable {
    /// The kind of report: `events`.
    public var kind = "events"
    /// The server's URL.
    public var target: String
    /// Connected sockets, two a call.
    public var connections: Int
    /// Events a second that were to be sent; null when they were sent as fast as they were acknowledged.
    public var offeredPerSecond: Double?
    /// Events that were under way at any time; null when they were sent by the clock.
    public var inFlight: Int?
    /// How long was measured.
    public var seconds: Double
    /// Connecting all sockets and joining all calls.
    public var setupSeconds: Double
    /// Events that were due and sent in that time.
    public var sent: UInt64
    /// Those whose acknowledgement said `ok`.
    public var acknowledged: UInt64
    /// Those that were refused.
    public var refused: UInt64
    /// Those that came to the other side, each once.
    public var delivered: UInt64
    /// Those that did not come.
    public var missing: UInt64
    /// Those that came twice or behind a later one.
    public var misplaced: UInt64
    /// From when an event was due to its acknowledgement.
    public var acknowledgementLatency: LatencyFigures
    /// From when an event was due to the other side's hearing it.
    public var deliveryLatency: LatencyFigures
    /// Null if the process was not named. By acknowledged event.
    public var server: ServerFigures?
    /// Of the generator's own time, what it did not spend waiting.
    public var generatorBusy: Double
    /// Why the run says nothing; empty if it does.
    public var void: [String]

    /// A report with every figure.
    public init(
        target: String,
        connections: Int,
        offeredPerSecond: Double?,
        inFlight: Int?,
        seconds: Double,
        setupSeconds: Double,
        totals: EventTotals,
        server: ServerFigures?,
        generatorBusy: Double
    ) {
        self.target = target
        self.connections = connections
        self.offeredPerSecond = offeredPerSecond
        self.inFlight = inFlight
        self.seconds = seconds
        self.setupSeconds = setupSeconds
        sent = totals.sent
        acknowledged = totals.acknowledged
        refused = totals.refused
        delivered = totals.delivered
        missing = totals.sent > totals.delivered ? totals.sent - totals.delivered : 0
        misplaced = totals.misplaced
        acknowledgementLatency = totals.acknowledgementLatency.figures
        deliveryLatency = totals.deliveryLatency.figures
        self.server = server
        self.generatorBusy = generatorBusy
        void =
            offeredPerSecond.map {
                OpenLoopRule.reasons(
                    generatorBusy: generatorBusy,
                    sentPerSecond: Double(totals.sent) / seconds,
                    offeredPerSecond: $0
                )
            } ?? []
    }

    /// The closing table, for people.
    public var table: String {
        var table = ReportTable()
        table.add("server", target)
        table.add("sockets", "\(connections), connected and joined in \(Decimals.text(setupSeconds, 2)) s")
        if let offeredPerSecond { table.add("load", "\(Int(offeredPerSecond)) events/s by the clock") }
        if let inFlight { table.add("load", "\(inFlight) events under way at any time") }
        let rate = Decimals.text(Double(acknowledged) / seconds, 0)
        table.add("acknowledged", "\(acknowledged) of \(sent), \(rate)/s; \(refused) refused")
        table.add("delivered", "\(delivered); \(missing) missing, \(misplaced) misplaced")
        table.add("acknowledgement", acknowledgementLatency.text)
        table.add("delivery", deliveryLatency.text)
        if let server {
            let each = Decimals.text(server.cpuMicrosecondsEach, 1)
            let share = Decimals.text(server.cpuShare * 100, 1)
            table.add("server CPU", "\(each) µs an acknowledged event, \(share) % of a core")
            table.add("server memory", "\(server.memoryBytes / 1024) KiB resident")
        }
        table.add("generator", "\(Decimals.text(generatorBusy * 100, 1)) % busy")
        for reason in void { table.add("VOID", reason) }
        return table.text
    }
}

/// What a load of events counted.
public struct EventTotals: Sendable {
    /// Events sent.
    public var sent: UInt64 = 0
    /// Acknowledged with `ok`.
    public var acknowledged: UInt64 = 0
    /// Acknowledged with a refusal.
    public var refused: UInt64 = 0
    /// Heard by the other side, each once.
    public var delivered: UInt64 = 0
    /// Heard twice or out of order.
    public var misplaced: UInt64 = 0
    /// Due to acknowledged.
    public var acknowledgementLatency = LatencyRecorder()
    /// Due to heard.
    public var deliveryLatency = LatencyRecorder()

    /// Nothing counted.
    public init() {}
}
