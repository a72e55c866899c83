public import NetPrimitives
internal import STUNCore
internal import STUNServer

extension TURNShard {
    /// Ends the allocations of a call that is over, and refuses its credentials from now on.
    ///
    /// Answers whether all are ended. If not, `effects` is full: carry them out and call again. From the first call on no
    /// further allocation is made, so an Allocate request that was on its way either finds the call ended or has its
    /// allocation ended here.
    public mutating func endCall(_ call: EndedCall, now: Instant, into effects: inout EffectQueue) -> Bool {
        endedCalls.insert(call, now: now)
        while let allocation = allocations.anyAllocation(ofCall: call.callID) {
            guard effects.hasRoom else { return false }
            close(allocation, now < allocation.expires ? .callEnded : .expired, into: &effects)
        }
        return true
    }

    /// From now on, Allocate requests are sent on to another server (300) if one is known for the client's family.
    public mutating func drain(to alternates: AlternateServers) {
        self.alternates = alternates
    }

    /// Ends all allocations at the end of a drain. Answers whether all are ended; if not, carry the effects out and call
    /// again.
    public mutating func closeAll(into effects: inout EffectQueue) -> Bool {
        while allocationCount > 0 {
            guard effects.hasRoom else { return false }
            if sweepCursor >= allocations.slotCount { sweepCursor = 0 }
            if let allocation = allocations.allocation(inSlot: sweepCursor) {
                close(allocation, .drained, into: &effects)
            }
            sweepCursor += 1
        }
        return true
    }

    /// Refuses an Allocate request whose call is over (403), or that another server is to serve (300).
    func requireAdmission(_ owner: AuthenticatedUser, from client: Endpoint, now: Instant) throws(Refusal) {
        if let call = owner.callID, endedCalls.contains(call, now: now) { throw Refusal(.forbidden) }
        if let alternate = alternates[client.address.family] { throw Refusal(alternate: alternate) }
    }
}
