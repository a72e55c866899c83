internal import NetPrimitives

/// A peer address that may send to an allocation and be sent to (RFC 8656 §9).
struct Permission: Hashable, Sendable, BitwiseCopyable {
    let address: IPAddress
    /// The peer's ports that the policy opens.
    let ports: PortSpan
    var expires: Instant
}
