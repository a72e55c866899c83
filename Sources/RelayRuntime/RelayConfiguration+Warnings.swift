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
        if isPublic { warnings += warningsOfMissingDenials }
        return warnings
    }

    /// `TURN_DENIED_PEERS` replaces the default, which is easily taken for an addition to it.
    private var warningsOfMissingDenials: [String] {
        let missing = PeerPolicy.defaultDenied.filter { closed in
            !(deniedPeers + PeerPolicy.neverAllowed).contains { $0.contains(closed) }
        }
        guard let first = missing.first else { return [] }
        return [
            "TURN_DENIED_PEERS replaces the default ranges and leaves out \(missing.count) of them, \(first) first, which "
                + "everybody who may use this relay can reach now"
        ]
    }
}
