/// What became of the datagrams of a flush.
public struct SendReport: Hashable, Sendable, BitwiseCopyable {
    /// Taken by the kernel.
    public var sent: UInt64 = 0
    /// Dropped because the socket's buffer was full. Relayed media is worth nothing late, so nothing waits.
    public var blocked: UInt64 = 0
    /// Dropped because the kernel refused them: no route, forbidden, no datagram at all.
    public var refused: UInt64 = 0
    /// Dropped as too large: for UDP, or for the interface where they were to leave in one piece (or the socket could not be
    /// told to send them so).
    public var tooLarge: UInt64 = 0
    /// System calls made that sent.
    public var calls: UInt64 = 0

    /// Nothing sent yet.
    public init() {}
}
