import CPacketIO

/// A file descriptor with one owner, closed when the owner lets go of it.
public struct OwnedDescriptor: ~Copyable, Sendable {
    /// The number the kernel knows it by. Borrowed: never close it, never keep it longer than the owner.
    public let rawValue: Int32

    /// Takes over an open descriptor.
    public init(adopting rawValue: Int32) { self.rawValue = rawValue }

    deinit {
        // close(2) frees the number even when it reports an error, and a datagram socket has nothing left to lose.
        _ = packet_close(rawValue)
    }
}
