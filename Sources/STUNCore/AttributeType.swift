/// The type of a STUN attribute: 16 bits, of which the first says whether it may be ignored.
public struct AttributeType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    /// The number on the wire.
    public let rawValue: UInt16

    /// The attribute type of that number.
    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Whether a receiver that does not know the type must refuse the message (RFC 8489 §14).
    @inlinable
    public var isComprehensionRequired: Bool { rawValue < 0x8000 }
}

extension AttributeType {
    /// MAPPED-ADDRESS (RFC 8489 §14.1).
    public static let mappedAddress = AttributeType(rawValue: 0x0001)
    /// USERNAME (RFC 8489 §14.3).
    public static let username = AttributeType(rawValue: 0x0006)
    /// MESSAGE-INTEGRITY (RFC 8489 §14.5).
    public static let messageIntegrity = AttributeType(rawValue: 0x0008)
    /// ERROR-CODE (RFC 8489 §14.8).
    public static let errorCode = AttributeType(rawValue: 0x0009)
    /// UNKNOWN-ATTRIBUTES (RFC 8489 §14.13).
    public static let unknownAttributes = AttributeType(rawValue: 0x000A)
    /// CHANNEL-NUMBER (RFC 8656 §18.1).
    public static let channelNumber = AttributeType(rawValue: 0x000C)
    /// LIFETIME (RFC 8656 §18.2).
    public static let lifetime = AttributeType(rawValue: 0x000D)
    /// XOR-PEER-ADDRESS (RFC 8656 §18.3).
    public static let xorPeerAddress = AttributeType(rawValue: 0x0012)
    /// DATA (RFC 8656 §18.4).
    public static let data = AttributeType(rawValue: 0x0013)
    /// REALM (RFC 8489 §14.9).
    public static let realm = AttributeType(rawValue: 0x0014)
    /// NONCE (RFC 8489 §14.10).
    public static let nonce = AttributeType(rawValue: 0x0015)
    /// XOR-RELAYED-ADDRESS (RFC 8656 §18.5).
    public static let xorRelayedAddress = AttributeType(rawValue: 0x0016)
    /// REQUESTED-ADDRESS-FAMILY (RFC 8656 §18.6).
    public static let requestedAddressFamily = AttributeType(rawValue: 0x0017)
    /// EVEN-PORT (RFC 8656 §18.7).
    public static let evenPort = AttributeType(rawValue: 0x0018)
    /// REQUESTED-TRANSPORT (RFC 8656 §18.8).
    public static let requestedTransport = AttributeType(rawValue: 0x0019)
    /// DONT-FRAGMENT (RFC 8656 §18.9).
    public static let dontFragment = AttributeType(rawValue: 0x001A)
    /// MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.6).
    public static let messageIntegritySHA256 = AttributeType(rawValue: 0x001C)
    /// PASSWORD-ALGORITHM (RFC 8489 §14.12).
    public static let passwordAlgorithm = AttributeType(rawValue: 0x001D)
    /// USERHASH (RFC 8489 §14.4).
    public static let userhash = AttributeType(rawValue: 0x001E)
    /// XOR-MAPPED-ADDRESS (RFC 8489 §14.2).
    public static let xorMappedAddress = AttributeType(rawValue: 0x0020)
    /// RESERVATION-TOKEN (RFC 8656 §18.10).
    public static let reservationToken = AttributeType(rawValue: 0x0022)
    /// ADDITIONAL-ADDRESS-FAMILY (RFC 8656 §18.11).
    public static let additionalAddressFamily = AttributeType(rawValue: 0x8000)
    /// ADDITIONAL-ADDRESS-FAMILY as the draft that became RFC 8656 numbered it. coturn's clients send it still, up to
    /// version 4.6 at least, and nobody else was given the number.
    public static let draftAdditionalAddressFamily = AttributeType(rawValue: 0x8032)
    /// ADDRESS-ERROR-CODE (RFC 8656 §18.12).
    public static let addressErrorCode = AttributeType(rawValue: 0x8001)
    /// PASSWORD-ALGORITHMS (RFC 8489 §14.11).
    public static let passwordAlgorithms = AttributeType(rawValue: 0x8002)
    /// ALTERNATE-DOMAIN (RFC 8489 §14.16).
    public static let alternateDomain = AttributeType(rawValue: 0x8003)
    /// ICMP (RFC 8656 §18.13).
    public static let icmp = AttributeType(rawValue: 0x8004)
    /// SOFTWARE (RFC 8489 §14.14).
    public static let software = AttributeType(rawValue: 0x8022)
    /// ALTERNATE-SERVER (RFC 8489 §14.15).
    public static let alternateServer = AttributeType(rawValue: 0x8023)
    /// FINGERPRINT (RFC 8489 §14.7).
    public static let fingerprint = AttributeType(rawValue: 0x8028)
}
