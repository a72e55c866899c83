/// Why a byte stream cannot be taken apart any further. There is no way to find the next frame after any of these, so the
/// connection ends.
public enum StreamFailure: Error, Hashable, Sendable {
    /// A frame begins with a byte that is neither STUN's nor ChannelData's.
    case firstByte(UInt8)
    /// A STUN message whose length is no multiple of four.
    case length
    /// A frame of so many bytes, padding included: more than are allowed.
    case oversize(Int)
}
