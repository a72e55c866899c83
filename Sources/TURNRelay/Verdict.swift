public import NetPrimitives

/// What to do with the datagram that was just received. Plain data: deciding it changed nothing.
public enum Verdict: Hashable, Sendable, BitwiseCopyable {
    /// Relay a part of the received bytes.
    case forward(Forward)
    /// Not relayable data: hand the same bytes to `TURNShard.handle`.
    case control
    /// Discard the bytes and count the reason.
    case drop(DropReason)
}

/// Send a part of the received bytes, framed as `framing`, out of `socket` to `destination`.
public struct Forward: Hashable, Sendable, BitwiseCopyable {
    /// Where the payload begins in the received datagram, in bytes.
    public let payloadOffset: UInt16
    /// How many bytes of the received datagram are relayed; zero is a legal datagram.
    public let payloadCount: UInt16
    /// What goes before (and after) the payload.
    public let framing: Framing
    /// Our socket that the bytes leave by.
    public let socket: SocketID
    /// Where they go.
    public let destination: Endpoint
    /// The allocation's slot in its shard: dense, so a shell can index its byte counters and buckets with it.
    public let meter: UInt32
    /// Whether it leaves in one piece or not at all (DONT-FRAGMENT between IPv4 ends, RFC 8656 §11.2, §13).
    public let dontFragment: Bool

    /// A payload of the received datagram on its way to `destination`.
    @inlinable
    public init(
        payloadOffset: UInt16,
        payloadCount: UInt16,
        framing: Framing,
        socket: SocketID,
        destination: Endpoint,
        meter: UInt32,
        dontFragment: Bool = false
    ) {
        self.payloadOffset = payloadOffset
        self.payloadCount = payloadCount
        self.framing = framing
        self.socket = socket
        self.destination = destination
        self.meter = meter
        self.dontFragment = dontFragment
    }
}
