/// What the policy says about a peer's address, and so which ports of it may be reached. One byte in an entry of the
/// packet path; only the cases after `allowed` cost a packet a look-up.
public enum PeerAnswer: UInt8, Hashable, Sendable, BitwiseCopyable {
    /// No port of it: 403.
    case denied
    /// Every port.
    case allowed
    /// Every port but those of this server's own services there.
    case allowedExceptServices
    /// An address of this server's relays: a port only while a relay lives at it.
    case ownRelay
    /// The same, and allowed by name: at a port without a relay, whatever else is there, except own services.
    case ownRelayOrOther
}
