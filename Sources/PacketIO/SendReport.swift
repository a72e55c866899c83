/// What became of the datagrams of a flush.
public struct SendReport: Hashable, Sendable, BitwiseCopyable {
    /// Taken by the kernel.
    public var sent: UInt64 = 0
    /// Dropped because the socket's buffer was full. Relayed media is worth nothing late, so nothing waits.
    public var blocked: UInt64 = 0
    /// Dropped because the kernel refused them: no route, forbidden, too large.
    public var refused: UInt64 = 0
    /// System calls made.
    public var calls: UInt64 = 0

    /// Nothing sent yet.
    public init() {}
}
