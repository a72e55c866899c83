/// When a run by the clock says nothing about the server, whatever is loaded.
public enum OpenLoopRule {
    /// Above this share of its time a paced generator may have been the limit itself.
    public static let busyLimit = 0.9
    /// Below this share of the offered rate it was not able to send what it should have.
    public static let sentLimit = 0.99

    /// Why a generator that was busy for this share of its time proves nothing; nil if it may.
    public static func reason(generatorBusy busy: Double) -> String? {
        guard busy > busyLimit else { return nil }
        return "the generator was busy \(percent(busy)) of its time, more than \(percent(busyLimit))"
    }

    /// Whether less was sent than a run may be believed with.
    public static func isShort(sent: Double, of offered: Double) -> Bool { sent < offered * sentLimit }

    /// The reasons why a run of one rate says nothing; none if it may be believed.
    public static func reasons(generatorBusy: Double, sentPerSecond: Double, offeredPerSecond: Double) -> [String] {
        var reasons: [String] = []
        if let reason = reason(generatorBusy: generatorBusy) { reasons.append(reason) }
        if isShort(sent: sentPerSecond, of: offeredPerSecond) {
            reasons.append("only \(Int(sentPerSecond)) of \(Int(offeredPerSecond)) a second could be sent")
        }
        return reasons
    }

    /// A share in whole percent.
    public static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
}
