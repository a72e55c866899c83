/// What a run found, in the shape of `--json`. Rates are per second, shares are of one, absent figures are null.
public struct LoadReport: Codable, Hashable, Sendable {
    /// Latency from the moment a payload was due to the moment it was read.
    public struct Latency: Codable, Hashable, Sendable {
        public var p50: Double
        public var p99: Double
        public var p99_9: Double
        public var max: Double
    }

    /// One direction.
    public struct Direction: Codable, Hashable, Sendable {
        public var sent: UInt64
        public var received: UInt64
        public var lost: UInt64
        public var lossRatio: Double
        public var duplicates: UInt64
        public var reordered: UInt64
        public var sentPerSecond: Double
        public var receivedPerSecond: Double
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
        public var allocations: Int
        public var seconds: Double
        public var perSecond: Double
        /// Of the server's process, by allocation.
        public var serverCPUMicrosecondsEach: Double?
        public var serverMemoryBytesEach: Double?
        /// Of the kernel's slab, by allocation; whatever else the machine did meanwhile is in it.
        public var slabBytesEach: Double?

        public init(allocations: Int, seconds: Double) {
            self.allocations = allocations
            self.seconds = seconds
            perSecond = seconds > 0 ? Double(allocations) / seconds : 0
        }
    }

    /// The server's process during the measurement.
    public struct Server: Codable, Hashable, Sendable {
        public var pid: Int
        public var cpuSeconds: Double
        /// Per payload received, both directions together.
        public var cpuNanosecondsPerPacket: Double
        /// Of one processor.
        public var cpuShare: Double
        /// Resident memory at the end.
        public var memoryBytes: UInt64

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

        public init(busy: Double) { self.busy = busy }
    }

    /// `turn:HOST:PORT` or `floor:HOST:PORT`.
    public var target: String
    public var allocations: Int
    public var payloadBytes: Int
    public var direction: String
    public var mode: String
    public var burst: Int
    public var gso: Bool
    /// In each direction; null when the load was as much as could be.
    public var offeredPerSecond: Double?
    public var seconds: Double
    public var up: Direction?
    public var down: Direction?
    public var setup: Setup
    public var server: Server?
    public var machine: Machine?
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
