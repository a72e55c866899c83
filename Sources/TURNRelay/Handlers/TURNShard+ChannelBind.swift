internal import NetPrimitives
internal import STUNCore

extension TURNShard {
    /// Binds or renews a channel, and the permission of its peer with it (RFC 8656 §12.2).
    mutating func bindChannel(
        _ message: MessageView,
        _ allocation: Allocation,
        now: Instant
    ) throws(Refusal) {
        let limits = configuration.limits
        guard
            let number = message.channelNumber,
            ChannelData.channelNumbers.contains(number),
            let peer = message.xorAddress(.xorPeerAddress),
            peer.port != 0,
            // Neither may be bound to anything else; expired bindings are gone by the time a request is handled.
            allocation.channels.allSatisfy({ ($0.number == number) == ($0.peer == peer) })
        else { throw Refusal(.badRequest) }
        let answer = try policyAnswer(peer.address, for: allocation)
        guard own.destination(peer, answer) != nil else { throw Refusal(.forbidden) }

        var renewed = allocation
        renewed.bind(
            ChannelBinding(
                number: number,
                peer: peer,
                answer: answer,
                expires: now.advanced(bySeconds: limits.channelSeconds)
            )
        )
        renewed.permit(
            Permission(
                address: peer.address,
                answer: answer,
                expires: now.advanced(bySeconds: limits.permissionSeconds)
            )
        )
        guard
            renewed.channels.count <= limits.channelsPerAllocation,
            renewed.permissions.count <= limits.permissionsPerAllocation
        else { throw Refusal(.insufficientCapacity) }
        allocations.store(renewed)
        flows.show(renewed)
    }
}
