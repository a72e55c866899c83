import NetPrimitives
import TURNRelay

extension RelayConfiguration {
    /// What works and is more open, or less useful, than its operator may think.
    func warnings(_ plan: RelayPlan) -> [String] {
        var warnings: [String] = []
        if relayPorts.contains(port) {
            warnings.append(
                "TURN_PORT \(port) lies among the relay ports \(relayPorts.lowerBound) to \(relayPorts.upperBound)"
            )
        }
        let isPublic = plan.advertised.contains { !$0.isPrivate && !$0.isLoopback }
        for prefix in allowedPeers where isPublic {
            guard let closed = PeerPolicy.defaultDenied.first(where: prefix.overlaps) else { continue }
            let part = prefix.length < closed.length ? "\(prefix), with \(closed) in it" : "\(prefix)"
            warnings.append(
                "TURN_ALLOWED_PEERS opens \(part), which is not the public internet, to everybody who may use this relay"
            )
        }
        return warnings
    }
}
