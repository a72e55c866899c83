public import NetPrimitives

/// What the shell has to do after `TURNShard` changed its state. Plain data; bytes and text lie in the queue's arena.
public enum Effect: Hashable, Sendable, BitwiseCopyable {
    /// Send these bytes of the arena from `socket`.
    case send(bytes: ArenaSlice, socket: SocketID, destination: Endpoint)
    /// Open a relay socket and answer with `TURNShard.relayOpened` before the next datagram reaches `handle`.
    case openRelay(AllocationID, RelayRequest)
    /// Close a relay socket, after the pass's flush, and release its lease.
    case closeRelay(SocketID)
    /// Something worth counting or logging.
    case report(RelayEvent)
}

/// A stretch of the effect queue's byte arena.
public struct ArenaSlice: Hashable, Sendable, BitwiseCopyable {
    /// First byte.
    public let offset: UInt32
    /// Length in bytes.
    public let count: UInt32

    @usableFromInline
    init(offset: Int, count: Int) {
        self.offset = UInt32(truncatingIfNeeded: offset)
        self.count = UInt32(truncatingIfNeeded: count)
    }
}
