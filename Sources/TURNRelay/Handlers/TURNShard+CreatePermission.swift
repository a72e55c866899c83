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
            guard peerCount <= configuration.limits.peersPerRequest else { throw Refusal(.insufficientCapacity) }
            guard let peer = message.xorAddress(attribute) else { throw Refusal(.badRequest) }
            let answer = try policyAnswer(peer.address, for: allocation)
            renewed.permit(Permission(address: peer.address, answer: answer, expires: expires))
        }
        guard peerCount > 0 else { throw Refusal(.badRequest) }
        guard renewed.permissions.count <= configuration.limits.permissionsPerAllocation else {
            throw Refusal(.insufficientCapacity)
        }
        allocations.store(renewed)
        flows.renew(renewed)
    }

    /// The one gate that every peer address passes, whatever request names it.
    func policyAnswer(_ address: IPAddress, for allocation: Allocation) throws(Refusal) -> PeerAnswer {
        guard allocation.relays[address.family] != nil else { throw Refusal(.peerAddressFamilyMismatch) }
        let answer = configuration.peers.answer(address)
        guard answer != .denied else { throw Refusal(.forbidden) }
        return answer
    }
}
