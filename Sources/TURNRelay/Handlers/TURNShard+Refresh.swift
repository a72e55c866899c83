internal import NetPrimitives
internal import STUNCore
internal import STUNServer

extension TURNShard {
    /// Prolongs or, with a lifetime of zero, ends an allocation, or the half of a dual one that the request names (RFC
    /// 8656 §8.2). Answers the lifetime that what was named has from now.
    mutating func refresh(
        _ message: MessageView,
        _ allocation: Allocation,
        now: Instant,
        into effects: inout EffectQueue
    ) throws(Refusal) -> UInt32 {
        var named: IPAddress.Family?
        switch message.requestedAddressFamily {
        case .absent: break
        case .family(let family) where allocation.relays[family] != nil: named = family
        case .family, .unknown: throw Refusal(.peerAddressFamilyMismatch)
        case .malformed: throw Refusal(.badRequest)
        }
        if message.lifetimeSeconds == 0 {
            if let named, allocation.relays.second != nil {
                closeHalf(allocation, named, into: &effects)
            } else {
                close(allocation, .released, into: &effects)
            }
            return 0
        }
        var renewed = allocation
        let seconds = try grantedLifetime(message)
        renewed.live(until: now.advanced(bySeconds: seconds), named)
        allocations.store(renewed)
        flows.show(renewed)
        return seconds
    }

    /// Ends one family of a dual allocation. Answers the other.
    @discardableResult
    mutating func closeHalf(
        _ allocation: Allocation,
        _ family: IPAddress.Family,
        into effects: inout EffectQueue
    ) -> Allocation {
        guard let relay = allocation.relays[family] else { return allocation }
        flows.remove(allocation)
        var half = allocation
        half.end(family)
        allocations.store(half)
        flows.show(half)
        effects.append(.closeRelay(relay.socket))
        return half
    }

    /// Ends an allocation: hides it from the packet path, frees its 5-tuple and has its sockets closed.
    mutating func close(_ allocation: Allocation, _ cause: CloseCause, into effects: inout EffectQueue) {
        flows.remove(allocation)
        allocations.remove(allocation)
        for relay in [allocation.relays.first, allocation.relays.second] {
            if let relay { effects.append(.closeRelay(relay.socket)) }
        }
        guard allocation.isOpen else { return }
        let username = effects.store(allocation.owner.username)
        effects.append(.report(.allocationClosed(allocation.id, cause: cause, username: username)))
    }
}
