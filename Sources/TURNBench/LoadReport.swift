/// What a run found, in the shape of `--json`. Rates are per second, shares are of one, absent figures are null.
public struct LoadReport: Codable, Hashable, Sendable {
    /// Latency from the moment a payload was due to the moment it was read.
    public struct Latency: Codable, Hashable, Sendable {
        /// Half of the payloads took no longer, in microseconds.
        public var p50: Double
        /// 99 of 100 took no longer.
        public var p99: Double
        /// 999 of 1,000 took no longer.
        public var p99_9: Double
        /// The longest.
        public var max: Double
    }

    /// One direction.
    public struct Direction: Codable, Hashable, Sendable {
        /// Payloads that the kernel took from the generator.
        public var sent: UInt64
        /// Payloads that came, each counted once.
        public var received: UInt64
        /// Payloads that did not come.
        public var lost: UInt64
        /// Lost of sent, 0 to 1.
        public var lossRatio: Double
        /// Payloads that came again.
        public var duplicates: UInt64
        /// Payloads that came behind one that was sent later.
        public var reordered: UInt64
        /// The rate that was reached.
        public var sentPerSecond: Double
        /// The rate that arrived.
        public var receivedPerSecond: Double
        /// How long payloads took.
        public var latencyMicroseconds: Latency

        /// The figures of `totals` over `seconds`.
        public init(_ totals: LoadTotals, seconds: Double) {
            sent = totals.sent
            received = totals.received
            lost = totals.sent > totals.received ? totals.sent - totals.received : 0
            lossRatio = totals.sent == 0 ? 0 : Double(lost) / Double(totals.sent)
            duplicates = totals.duplicates
            reordered = totals.late
            sentPerSecond = Double(totals.sent) / seconds
            receivedPerSecond = Double(totals.received) / seconds
            latencyMicroseconds = Latency(
                p50: totals.latencyMicroseconds(percent: 50),
                p99: totals.latencyMicroseconds(percent: 99),
                p99_9: totals.latencyMicroseconds(percent: 99.9),
                max: totals.longestMicroseconds
            )
        }
    }

    /// Making the allocations: Allocate (asked twice, once without a credential), then ChannelBind or CreatePermission.
    public struct Setup: Codable, Hashable, Sendable {
        /// Clients, each with one.
        public var allocations: Int
        /// How long it took.
        public var seconds: Double
        /// Allocations made a second.
        public var perSecond: Double
        /// Microseconds that the server's threads ran, by allocation.
        public var serverCPUMicrosecondsEach: Double?
        /// Resident memory of the server's process, by allocation.
        public var serverMemoryBytesEach: Double?
        /// Of the kernel's slab, by allocation; whatever else the machine did meanwhile is in it.
        public var slabBytesEach: Double?

        /// So many allocations in so many seconds; what the server used for them is set by whoever looked.
        public init(allocations: Int, seconds: Double) {
            self.allocations = allocations
            self.seconds = seconds
            perSecond = seconds > 0 ? Double(allocations) / seconds : 0
        }
    }

    /// The server's process during the measurement.
    public struct Server: Codable, Hashable, Sendable {
        /// Its process.
        public var pid: Int
        /// How long its threads ran.
        public var cpuSeconds: Double
        /// Per payload received, both directions together.
        public var cpuNanosecondsPerPacket: Double
        /// Of one processor.
        public var cpuShare: Double
        /// Resident memory at the end.
        public var memoryBytes: UInt64

        /// `packets` are the payloads received in `seconds`.
        public init(pid: Int, cpuSeconds: Double, packets: UInt64, seconds: Double, memoryBytes: UInt64) {
            self.pid = pid
            self.cpuSeconds = cpuSeconds
            cpuNanosecondsPerPacket = packets == 0 ? 0 : cpuSeconds * 1e9 / Double(packets)
            cpuShare = seconds > 0 ? cpuSeconds / seconds : 0
            self.memoryBytes = memoryBytes
        }
    }

    /// All processors during the measurement.
    public struct Machine: Codable, Hashable, Sendable {
        /// Per payload received, the generator's own waiting taken off.
        public var cpuNanosecondsPerPacket: Double
        /// By processor.
        public var busyByCPU: [Double]
        /// Of all processors' time, what interrupts handed on.
        public var softirqShare: Double

        /// What came of the processors' ticks.
        public init(cpuNanosecondsPerPacket: Double, busyByCPU: [Double], softirqShare: Double) {
            self.cpuNanosecondsPerPacket = cpuNanosecondsPerPacket
            self.busyByCPU = busyByCPU
            self.softirqShare = softirqShare
        }
    }

    /// The generator itself.
    public struct Generator: Codable, Hashable, Sendable {
        /// Of its time, what it did not spend waiting for the next packet.
        public var busy: Double

        /// A share of its time.
        public init(busy: Double) { self.busy = busy }
    }

    /// `turn:HOST:PORT` or `floor:HOST:PORT`.
    public var target: String
    /// Clients, each with one.
    public var allocations: Int
    /// Bytes of a payload.
    public var payloadBytes: Int
    /// `up`, `down` or `both`.
    public var direction: String
    /// `channel` or `indication`.
    public var mode: String
    /// Payloads that leave back to back.
    public var burst: Int
    /// Whether the generator had the kernel cut and join them.
    public var gso: Bool
    /// In each direction; null when the load was as much as could be.
    public var offeredPerSecond: Double?
    /// How long it took.
    public var seconds: Double
    /// From clients to peers; null if nothing was sent that way.
    public var up: Direction?
    /// From peers to clients; null likewise.
    public var down: Direction?
    /// What making the allocations took.
    public var setup: Setup
    /// Null if the process was not named.
    public var server: Server?
    /// Null if nothing was measured.
    public var machine: Machine?
    /// Null if nothing was measured.
    public var generator: Generator?
    /// Why the run says nothing; empty if it does.
    public var void: [String] = []

    enum CodingKeys: String, CodingKey {
        case target, allocations, payloadBytes, direction, mode, burst, gso, offeredPerSecond, seconds, up, down, setup
        case server, machine, generator, void
    }

    /// Writes what is absent as null, so that every report has the same shape.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(target, forKey: .target)
        try container.encode(allocations, forKey: .allocations)
        try container.encode(payloadBytes, forKey: .payloadBytes)
        try container.encode(direction, forKey: .direction)
        try container.encode(mode, forKey: .mode)
        try container.encode(burst, forKey: .burst)
        try container.encode(gso, forKey: .gso)
        try container.encode(offeredPerSecond, forKey: .offeredPerSecond)
        try container.encode(seconds, forKey: .seconds)
        try container.encode(up, forKey: .up)
        try container.encode(down, forKey: .down)
        try container.encode(setup, forKey: .setup)
        try container.encode(server, forKey: .server)
        try container.encode(machine, forKey: .machine)
        try container.encode(generator, forKey: .generator)
        try container.encode(void, forKey: .void)
    }

    /// A report of a load that has only been set up.
    public init(_ plan: LoadPlan, setup: Setup) {
        target = plan.target
        allocations = plan.allocations
        payloadBytes = plan.payloadByteCount
        direction = plan.direction.rawValue
        mode = plan.mode.rawValue
        burst = plan.burst
        gso = plan.usesSegmentation
        offeredPerSecond = plan.packetsPerSecond
        seconds = 0
        self.setup = setup
    }
}
