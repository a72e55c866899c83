import NetPrimitives

/// A STUN message read in place (RFC 8489 §5, §14). It lives no longer than the bytes it was made from.
///
/// Attributes behind MESSAGE-INTEGRITY are not covered by it and do not exist for this view, but for
/// MESSAGE-INTEGRITY-SHA256 and FINGERPRINT; behind MESSAGE-INTEGRITY-SHA256 only FINGERPRINT does (§14.5, §14.6). Of
/// several attributes of one type the first counts (§14).
public struct MessageView: ~Escapable {
    /// The length of the header.
    public static let headerLength = 20
    /// The value that tells STUN from RFC 3489 and from other protocols.
    public static let magicCookie: UInt32 = 0x2112_A442

    /// The whole message.
    public let bytes: RawSpan
    /// Method and class.
    public let type: MessageType
    /// What ties a response to this message.
    public let transactionID: TransactionID
    /// MESSAGE-INTEGRITY, if there is one that counts.
    public let messageIntegrity: Attribute?
    /// MESSAGE-INTEGRITY-SHA256, if there is one that counts.
    public let messageIntegritySHA256: Attribute?
    /// FINGERPRINT, if there is one.
    public let fingerprint: Attribute?
    /// Where the attributes end that ordinary look-ups see.
    private let visibleEnd: Int

    /// Checks the header and the framing of every attribute; no value is looked at.
    @_lifetime(copy bytes)
    public init(parsing bytes: RawSpan) throws(MessageFailure) {
        guard bytes.byteCount >= Self.headerLength, let rawType = bytes.uint16(at: 0),
            let length = bytes.uint16(at: 2), let cookie = bytes.uint32(at: 4),
            let high = bytes.uint32(at: 8), let low = bytes.uint64(at: 12)
        else { throw .truncated }
        guard let type = MessageType(rawValue: rawType) else { throw .notSTUN }
        guard cookie == Self.magicCookie else { throw .magicCookie }
        guard length & 3 == 0, Int(length) == bytes.byteCount &- Self.headerLength else { throw .length }

        var integrity: Attribute?
        var integritySHA256: Attribute?
        var fingerprint: Attribute?
        var visibleEnd = bytes.byteCount
        var reader = AttributeReader(bytes, from: Self.headerLength, upTo: bytes.byteCount)
        while let attribute = reader.next() {
            switch attribute.type {
            case .messageIntegrity where integrity == nil && integritySHA256 == nil:
                integrity = attribute
                visibleEnd = min(visibleEnd, attribute.offset)
            case .messageIntegritySHA256 where integritySHA256 == nil:
                integritySHA256 = attribute
                visibleEnd = min(visibleEnd, attribute.offset)
            case .fingerprint where fingerprint == nil:
                fingerprint = attribute
                visibleEnd = min(visibleEnd, attribute.offset)
            default: continue
            }
        }
        guard reader.offset == bytes.byteCount else { throw .attributeOverrun }

        self.bytes = bytes
        self.type = type
        self.transactionID = TransactionID(high: high, low: low)
        self.messageIntegrity = integrity
        self.messageIntegritySHA256 = integritySHA256
        self.fingerprint = fingerprint
        self.visibleEnd = visibleEnd
    }

    /// A walk over the attributes that count, without the two integrity attributes and FINGERPRINT.
    public var attributes: AttributeReader {
        @_lifetime(copy self)
        get { AttributeReader(bytes, from: Self.headerLength, upTo: visibleEnd) }
    }

    /// The first attribute of `type` among those that `attributes` walks over.
    public func first(_ type: AttributeType) -> Attribute? {
        var reader = attributes
        while let attribute = reader.next() {
            if attribute.type == type { return attribute }
        }
        return nil
    }

    /// Whether there is an attribute of `type`.
    public func contains(_ type: AttributeType) -> Bool { first(type) != nil }

    /// The value of `attribute`, which must come from this message; empty otherwise.
    @_lifetime(copy self)
    public func value(of attribute: Attribute) -> RawSpan {
        guard let value = bytes.slice(at: attribute.valueOffset, length: attribute.length) else {
            return bytes.extracting(0..<0)
        }
        return value
    }
}
