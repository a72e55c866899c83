import BenchCore

/// When a run says nothing about the server.
public enum VoidRule {
    /// Below this share of a processor the server was not at its limit when a load without a pace met it.
    public static let saturation = 0.9

    /// The reasons; none if the run may be believed.
    public static func reasons(_ report: LoadReport) -> [String] {
        var reasons: [String] = []
        if let offered = report.offeredPerSecond {
            if let reason = report.generator.flatMap({ OpenLoopRule.reason(generatorBusy: $0.busy) }) {
                reasons.append(reason)
            }
            for (name, direction) in [("up", report.up), ("down", report.down)] {
                guard let direction, OpenLoopRule.isShort(sent: direction.sentPerSecond, of: offered) else { continue }
                let sent = "\(Int(direction.sentPerSecond)) of \(Int(offered)) packets/s"
                reasons.append("\(name): only \(sent) could be sent")
            }
        } else if let server = report.server, server.cpuShare < saturation {
            let share = OpenLoopRule.percent(server.cpuShare)
            reasons.append("the server used \(share) of a processor: the generator was the limit")
        }
        return reasons
    }
}
