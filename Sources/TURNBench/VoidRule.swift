/// When a run says nothing about the server.
public enum VoidRule {
    /// Above this share of its time a paced generator may have been the limit itself.
    public static let busyLimit = 0.9
    /// Below this share of the offered rate it was not able to send what it should have.
    public static let sentLimit = 0.99
    /// Below this share of a processor the server was not at its limit when a load without a pace met it.
    public static let saturation = 0.9

    /// The reasons; none if the run may be believed.
    public static func reasons(_ report: LoadReport) -> [String] {
        var reasons: [String] = []
        if let offered = report.offeredPerSecond {
            if let busy = report.generator?.busy, busy > busyLimit {
                reasons.append("the generator was busy \(percent(busy)) of its time, more than \(percent(busyLimit))")
            }
            for (name, direction) in [("up", report.up), ("down", report.down)] {
                guard let direction, direction.sentPerSecond < offered * sentLimit else { continue }
                let sent = "\(Int(direction.sentPerSecond)) of \(Int(offered)) packets/s"
                reasons.append("\(name): only \(sent) could be sent")
            }
        } else if let server = report.server, server.cpuShare < saturation {
            reasons.append("the server used \(percent(server.cpuShare)) of a processor: the generator was the limit")
        }
        return reasons
    }

    private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
}
