public import NetPrimitives

/// What happened, for counters and for those who account relay use to a call. Texts lie in the queue's arena.
public enum RelayEvent: Hashable, Sendable, BitwiseCopyable {
    /// An allocation lives. `username` is the whole USERNAME it was made with.
    case allocationOpened(AllocationID, flow: Flow, relayed: Endpoint, username: ArenaSlice)
    /// An allocation is gone; its meter slot may be given to another from the next `handle` on.
    case allocationClosed(AllocationID, cause: CloseCause, username: ArenaSlice)
    /// A request was answered with an error of this code.
    case refused(code: UInt16)
    /// A request was answered with success.
    case answered
    /// `handle` discarded a datagram.
    case dropped(DropReason)
}

/// Why an allocation ended.
public enum CloseCause: UInt8, Hashable, Sendable, BitwiseCopyable {
    /// The client refreshed it to a lifetime of zero.
    case released
    /// Its lifetime ran out.
    case expired
}
