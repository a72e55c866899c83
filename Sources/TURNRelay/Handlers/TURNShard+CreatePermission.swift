internal import NetPrimitives
internal import STUNCore

extension TURNShard {
    /// Installs or renews permissions for all the peers that a request names, or for none (RFC 8656 §10.2).
    mutating func createPermission(
        _ message: MessageView,
        _ allocation: Allocation,
        now: Instant
    ) throws(Refusal) {
        let expires = now.advanced(bySeconds: configuration.limits.permissionSeconds)
        var renewed = allocation
        var peerCount = 0
        var reader = message.attributes
        while let attribute = reader.next() {
            guard attribute.type == .xorPeerAddress else { continue }
            peerCount += 1
            guard peerCount <= configuration.limits.peersPerRequest, let peer = message.xorAddress(attribute) else {
                throw Refusal(.badRequest)
            }
            let ports = try permittedPorts(of: peer.address, for: allocation)
            renewed.permit(Permission(address: peer.address, ports: ports, expires: expires))
        }
        guard peerCount > 0 else { throw Refusal(.badRequest) }
        guard renewed.permissions.count <= configuration.limits.permissionsPerAllocation else {
            throw Refusal(.insufficientCapacity)
        }
        allocations.store(renewed)
        flows.renew(renewed)
    }

    /// The one gate that every peer address passes, whatever request names it.
    func permittedPorts(of address: IPAddress, for allocation: Allocation) throws(Refusal) -> PortSpan {
        guard address.family == allocation.family else { throw Refusal(.peerAddressFamilyMismatch) }
        guard let ports = configuration.peers.ports(of: address) else { throw Refusal(.forbidden) }
        return ports
    }
}
