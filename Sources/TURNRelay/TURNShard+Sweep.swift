public import NetPrimitives

extension TURNShard {
    /// Visits up to `limit` slots, all in turn, and removes what has expired in them.
    ///
    /// The packet path checks every expiry itself; this only gives back sockets, quota and memory. Answers false if it
    /// stopped early because `effects` is full; it goes on there the next time.
    @discardableResult
    public mutating func sweep(now: Instant, limit: Int, into effects: inout EffectQueue) -> Bool {
        var remaining = min(limit, allocations.slotCount)
        while remaining > 0, effects.hasRoom {
            if sweepCursor >= allocations.slotCount { sweepCursor = 0 }
            if allocations.hasEnded(inSlot: sweepCursor, now: now),
                let allocation = allocations.allocation(inSlot: sweepCursor)
            {
                purge(allocation, now: now, into: &effects)
            }
            sweepCursor += 1
            remaining -= 1
        }
        return remaining == 0
    }

    /// Closes an allocation that has expired, or drops its expired permissions and channels. Answers what is left of it.
    @discardableResult
    mutating func purge(_ allocation: Allocation, now: Instant, into effects: inout EffectQueue) -> Allocation? {
        guard now < allocation.expires else {
            close(allocation, .expired, into: &effects)
            return nil
        }
        var allocation = allocation
        for family in [IPAddress.Family.ipv4, .ipv6] {
            // The half of a dual allocation whose time was not prolonged.
            guard let relay = allocation.relays[family], relay.hasEnded(now), allocation.isOpen else { continue }
            allocation = closeHalf(allocation, family, into: &effects)
        }
        let isExpired = { (permission: Permission) in permission.hasEnded(now) }
        let isUnbound = { (channel: ChannelBinding) in channel.hasEnded(now) }
        guard allocation.permissions.contains(where: isExpired) || allocation.channels.contains(where: isUnbound) else {
            return allocation
        }
        for permission in allocation.permissions where isExpired(permission) {
            flows.remove(permission, of: allocation)
        }
        for channel in allocation.channels where isUnbound(channel) { flows.remove(channel, of: allocation) }
        var purged = allocation
        purged.permissions.removeAll(where: isExpired)
        purged.channels.removeAll(where: isUnbound)
        allocations.store(purged)
        return purged
    }
}
