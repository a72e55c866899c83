internal import NetPrimitives
internal import STUNCore
internal import STUNServer

extension TURNShard {
    /// Prolongs or, with a lifetime of zero, ends an allocation (RFC 8656 §8.2). Answers the lifetime it has from now.
    mutating func refresh(
        _ message: MessageView,
        _ allocation: Allocation,
        now: Instant,
        into effects: inout EffectQueue
    ) throws(Refusal) -> UInt32 {
        switch message.requestedAddressFamily {
        case .absent: break
        case .family(allocation.family): break
        case .family, .unknown: throw Refusal(.peerAddressFamilyMismatch)
        }
        if message.lifetimeSeconds == 0 {
            close(allocation, .released, into: &effects)
            return 0
        }
        var renewed = allocation
        let seconds = try grantedLifetime(message)
        renewed.expires = now.advanced(bySeconds: seconds)
        allocations.store(renewed)
        flows.renew(renewed)
        return seconds
    }

    /// Ends an allocation: hides it from the packet path, frees its 5-tuple and has its socket closed.
    mutating func close(_ allocation: Allocation, _ cause: CloseCause, into effects: inout EffectQueue) {
        flows.remove(allocation)
        allocations.remove(allocation)
        guard let relay = allocation.relay else { return }
        effects.append(.closeRelay(relay))
        let username = effects.store(allocation.owner.username)
        effects.append(.report(.allocationClosed(allocation.id, cause: cause, username: username)))
    }
}
