internal import NetPrimitives

/// A channel number that stands for a peer's transport address (RFC 8656 §12).
struct ChannelBinding: Hashable, Sendable, BitwiseCopyable {
    let number: UInt16
    let peer: Endpoint
    /// What the policy said about the peer's address.
    let answer: PeerAnswer
    var expires: Instant

    /// Whether its time is over.
    func hasEnded(_ now: Instant) -> Bool { expires <= now }
}
