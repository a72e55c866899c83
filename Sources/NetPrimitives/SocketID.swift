/// The cores' opaque name of a socket that a shell owns.
///
/// The generation changes whenever a slot is used again, so that an identifier kept too long finds nothing instead of
/// another user's socket.
public struct SocketID: Hashable, Sendable, BitwiseCopyable {
    /// Index of the socket in its owner's table.
    public let slot: UInt32
    /// How often the slot had been given out before.
    public let generation: UInt32

    /// Names the socket in `slot`, in the use of that slot which `generation` counts.
    @inlinable
    public init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// Both parts in one word, the form that epoll carries.
    @inlinable
    public var rawValue: UInt64 { UInt64(generation) << 32 | UInt64(slot) }

    /// The inverse of `rawValue`.
    @inlinable
    public init(rawValue: UInt64) {
        slot = UInt32(truncatingIfNeeded: rawValue)
        generation = UInt32(truncatingIfNeeded: rawValue >> 32)
    }
}
