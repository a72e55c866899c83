public import STUNCore

/// The comprehension-required attribute types that a server knows. All that exist lie below 64, so one word holds them.
public struct KnownAttributes: Hashable, Sendable, BitwiseCopyable {
    private var bits: UInt64

    /// A set of these types; a type from 64 on cannot be known and is left out.
    public init(_ types: [AttributeType]) {
        bits = types.reduce(0) { $1.rawValue < 64 ? $0 | 1 << UInt64($1.rawValue) : $0 }
    }

    /// Whether `type` is known.
    public func contains(_ type: AttributeType) -> Bool {
        type.rawValue < 64 && bits >> UInt64(type.rawValue) & 1 == 1
    }

    /// Everything in either set.
    public func union(_ other: KnownAttributes) -> KnownAttributes {
        var union = self
        union.bits |= other.bits
        return union
    }

    /// What RFC 8489 defines.
    public static let stun = KnownAttributes([
        .mappedAddress, .username, .messageIntegrity, .errorCode, .unknownAttributes, .realm, .nonce,
        .messageIntegritySHA256, .passwordAlgorithm, .userhash, .xorMappedAddress,
    ])
}
