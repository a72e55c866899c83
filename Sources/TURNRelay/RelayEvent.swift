public import NetPrimitives

/// What happened, for counters and for those who account relay use to a call. Texts lie in the queue's arena.
public enum RelayEvent: Hashable, Sendable, BitwiseCopyable {
    /// An allocation lives, a dual one with an `additional` relayed address. `username` is the whole USERNAME it was made
    /// with.
    case allocationOpened(
        AllocationID,
        flow: Flow,
        relayed: Endpoint,
        additional: Endpoint?,
        username: ArenaSlice
    )
    /// An allocation is gone. A later event of the same queue may already be about another one in its meter slot.
    case allocationClosed(AllocationID, cause: CloseCause, username: ArenaSlice)
    /// A request was answered with an error of this code.
    case refused(code: UInt16)
    /// A request was answered with success.
    case answered
    /// A client was told of an ICMP error.
    case icmpPassedOn
    /// `handle` discarded a datagram.
    case dropped(DropReason)
}

/// Why an allocation ended.
public enum CloseCause: UInt8, Hashable, Sendable, BitwiseCopyable {
    /// The client refreshed it to a lifetime of zero.
    case released
    /// Its lifetime ran out.
    case expired
    /// The call that its credential was minted for is over.
    case callEnded
    /// The server stopped before the client did.
    case drained
}
