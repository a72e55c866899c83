internal import NetPrimitives

/// A peer address that may send to an allocation and be sent to (RFC 8656 §9).
struct Permission: Hashable, Sendable, BitwiseCopyable {
    let address: IPAddress
    /// What the policy said about it.
    let answer: PeerAnswer
    var expires: Instant

    /// Whether its time is over.
    func hasEnded(_ now: Instant) -> Bool { expires <= now }
}
