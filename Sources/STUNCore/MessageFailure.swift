/// Why bytes are no STUN message of RFC 8489.
public enum MessageFailure: Error, Hashable, Sendable {
    /// Fewer than the 20 bytes of a header.
    case truncated
    /// The first two bits are not zero.
    case notSTUN
    /// The magic cookie is missing: an RFC 3489 client, or no STUN at all.
    case magicCookie
    /// The length field is no multiple of four or disagrees with the bytes that came.
    case length
    /// An attribute ends behind the message.
    case attributeOverrun
}
