internal import NetPrimitives

/// A channel number that stands for a peer's transport address (RFC 8656 §12).
struct ChannelBinding: Hashable, Sendable, BitwiseCopyable {
    /// The numbers that a client may choose from.
    static let numbers: ClosedRange<UInt16> = 0x4000...0x4FFF

    let number: UInt16
    let peer: Endpoint
    var expires: Instant
}
