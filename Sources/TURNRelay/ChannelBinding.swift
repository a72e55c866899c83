internal import NetPrimitives

/// A channel number that stands for a peer's transport address (RFC 8656 §12).
struct ChannelBinding: Hashable, Sendable, BitwiseCopyable {
    let number: UInt16
    let peer: Endpoint
    var expires: Instant
}
