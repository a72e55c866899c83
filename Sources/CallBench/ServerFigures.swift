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

/// What the generator itself was busy with.
public enum VoidRule {
    /// Above this share of its time a generator that sends by the clock may have been the limit itself.
    public static let busyLimit = 0.9
    /// Below this share of the offered rate it was not able to send what it should have.
    public static let sentLimit = 0.99

    /// The reasons why a run by the clock says nothing about the server; none if it may be believed.
    public static func reasons(generatorBusy: Double, sentPerSecond: Double, offeredPerSecond: Double) -> [String] {
        var reasons: [String] = []
        if generatorBusy > busyLimit {
            reasons.append(
                "the generator was busy \(percent(generatorBusy)) of its time, more than \(percent(busyLimit))"
            )
        }
        if sentPerSecond < offeredPerSecond * sentLimit {
            reasons.append("only \(Int(sentPerSecond)) of \(Int(offeredPerSecond)) a second could be sent")
        }
        return reasons
    }

    private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
}
