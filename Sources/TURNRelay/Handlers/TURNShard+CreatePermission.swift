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
        // All of them are read before the policy is asked: a request of which a part is malformed is malformed.
        var addresses: [IPAddress] = []
        var reader = message.attributes
        while let attribute = reader.next() {
            guard attribute.type == .xorPeerAddress else { continue }
            guard addresses.count < configuration.limits.peersPerRequest else { throw Refusal(.insufficientCapacity) }
            guard let peer = message.xorAddress(attribute) else { throw Refusal(.badRequest) }
            addresses.append(peer.address)
        }
        guard !addresses.isEmpty else { throw Refusal(.badRequest) }
        var renewed = allocation
        for address in addresses {
            let answer = try policyAnswer(address, for: allocation)
            renewed.permit(Permission(address: address, answer: answer, expires: expires))
        }
        guard renewed.permissions.count <= configuration.limits.permissionsPerAllocation else {
            throw Refusal(.insufficientCapacity)
        }
        allocations.store(renewed)
        flows.show(renewed)
    }

    /// The one gate that every peer address passes, whatever request names it.
    func policyAnswer(_ address: IPAddress, for allocation: Allocation) throws(Refusal) -> PeerAnswer {
        guard allocation.relays[address.family] != nil else { throw Refusal(.peerAddressFamilyMismatch) }
        let answer = configuration.peers.answer(address)
        guard answer != .denied else { throw Refusal(.forbidden) }
        return answer
    }
}
