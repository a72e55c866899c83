public import NetPrimitives
internal import STUNCore

extension TURNShard {
    /// Tells a client what became of a datagram that left by its relay socket (RFC 8656 §11.5).
    ///
    /// The caller has found the socket by `error.source`, which has to be its local endpoint exactly. The client hears of
    /// peers that it has a permission for and of no others, and of at most `TURNLimits.icmpPerSecond` errors a second: an
    /// error may be forged by anybody, and a flood of them is not to become one of ours.
    public mutating func handleICMP(
        _ error: ICMPError,
        on relay: SocketID,
        now: Instant,
        random: inout some RandomNumberGenerator,
        into effects: inout EffectQueue
    ) {
        precondition(effects.hasRoom, "the shell empties the queue before every call")
        // The error names the peer as the datagram did on the wire, the client knows an own relay by its outside.
        let peer = own.peer(error.peer)
        guard
            let permission = flows.permission(peer.address, on: relay, now: now),
            own.destination(peer, permission.answer) != nil
        else { return effects.append(.report(.dropped(.unsolicitedICMP))) }
        let perSecond = configuration.limits.icmpPerSecond
        let isWithinBudget = allocations.update(inSlot: Int(permission.meter)) { allocation in
            allocation.icmpBudget.take(perSecond: perSecond, now: now)
        }
        guard isWithinBudget == true else { return effects.append(.report(.dropped(.icmpBudget))) }

        effects.messages.begin(MessageType(.data, .indication), .random(using: &random))
        effects.messages.appendXORAddress(.xorPeerAddress, peer)
        effects.messages.appendICMP(
            ICMPAttribute(type: error.type, code: UInt16(error.code), errorData: error.errorData)
        )
        let client = Flow(client: permission.client, socket: permission.listener, transport: .udp)
        if effects.send(effects.messages.finish(), to: client) { effects.append(.report(.icmpPassedOn)) }
    }
}
