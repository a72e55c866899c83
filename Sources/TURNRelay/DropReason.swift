/// Why a datagram was discarded without an answer. The raw values are dense: shells count by them.
public enum DropReason: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    /// The first byte belongs to no protocol served here (RFC 7983).
    case unknownProtocol
    /// Not a well-formed STUN message.
    case malformedMessage
    /// A STUN message whose FINGERPRINT does not match.
    case badFingerprint
    /// A STUN response, or an indication of a method that has none towards a server.
    case unexpectedMessage
    /// ChannelData shorter than its header or than its length field says.
    case malformedChannelData
    /// A channel number that this client has not bound, or no longer.
    case unknownChannel
    /// A Send indication without peer address or data, or with ones that cannot be used.
    case malformedIndication
    /// A Send indication with an attribute that must be understood and is not.
    case unknownAttribute
    /// A Send indication from a client without allocation.
    case noAllocation
    /// No permission is installed for the peer's address.
    case noPermission
    /// The peer's port is one of this server's services, or one of its relay addresses' where no relay lives.
    case closedPort
    /// The peer's address family is not the allocation's.
    case familyMismatch
    /// A datagram on a relay socket that no allocation owns any more.
    case unknownRelay
    /// The framed datagram would not fit into UDP.
    case oversize
    /// An Allocate request whose predecessor on this 5-tuple still waits for its relay socket.
    case allocationPending
    /// The source has used up its budget of unauthenticated answers.
    case replyBudget
    /// A limit on the shard's work or memory was reached.
    case overload
    /// The allocation has relayed all that it may for now.
    case allocationBandwidth
    /// The server has relayed all that it may for now.
    case serverBandwidth
    /// An ICMP error about no datagram of a relay, or about a peer that its client has no permission for.
    case unsolicitedICMP
    /// An ICMP error for a client that was told of so many within this second.
    case icmpBudget
}
