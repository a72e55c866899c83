/// What the server's process used during a measurement.
public struct ServerFigures: Codable, Hashable, Sendable {
    /// Its process.
    public var pid: Int
    /// How long its threads ran.
    public var cpuSeconds: Double
    /// Of one processor.
    public var cpuShare: Double
    /// By call, event or connection, whichever was counted.
    public var cpuMicrosecondsEach: Double
    /// Resident memory at the end.
    public var memoryBytes: UInt64

    /// What `count` things in `seconds` cost.
    public init(pid: Int, cpuSeconds: Double, seconds: Double, count: UInt64, memoryBytes: UInt64) {
        self.pid = pid
        self.cpuSeconds = cpuSeconds
        self.memoryBytes = memoryBytes
        cpuShare = seconds > 0 ? cpuSeconds / seconds : 0
        cpuMicrosecondsEach = count > 0 ? cpuSeconds * 1e6 / Double(count) : 0
    }
}
