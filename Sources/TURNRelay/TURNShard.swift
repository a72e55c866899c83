public import NetPrimitives

/// One shard's TURN server: bytes, sender and time in; verdicts and effects out.
public struct TURNShard: ~Copyable {
    /// A shard without allocations. `tableSeed` keys its hash tables and should be random.
    public init(configuration: TURNConfiguration, tableSeed: UInt64) {
    }

    /// Decides about a datagram from a client without changing anything.
    public borrowing func route(_ bytes: RawSpan, from flow: Flow, now: Instant) -> Verdict {
        .control
    }

    /// Decides about a datagram of `byteCount` opaque bytes that a peer sent to a relay socket.
    public borrowing func routePeer(
        byteCount: Int,
        from peer: Endpoint,
        on relay: SocketID,
        now: Instant
    ) -> Verdict {
        .drop(.noPermission)
    }

    /// Processes what `route` called control: requests, and messages that are to be ignored.
    public mutating func handle(
        _ bytes: RawSpan,
        from flow: Flow,
        now: Instant,
        unixSeconds: UInt64,
        random: inout some RandomNumberGenerator,
        into effects: inout EffectQueue
    ) {
    }

    /// Completes an Allocate request with what became of its relay socket.
    public mutating func relayOpened(
        _ allocation: AllocationID,
        _ outcome: RelayOpenOutcome,
        now: Instant,
        into effects: inout EffectQueue
    ) {
    }

    /// Removes up to `limit` things that have expired. Meant for once a second; correctness does not depend on it.
    public mutating func sweep(now: Instant, limit: Int, into effects: inout EffectQueue) {
    }
}
