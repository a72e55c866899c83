/// An IP address of either family, trivially copyable.
///
/// IPv4 is a family of its own, not an IPv6-mapped form: `::ffff:192.0.2.1` and `192.0.2.1` are different values, and
/// whoever compares them for policy canonicalises first.
public struct IPAddress: Hashable, Sendable, BitwiseCopyable {
    /// The address family, with the values that STUN puts on the wire (RFC 8489 §14.1).
    public enum Family: UInt8, Sendable, BitwiseCopyable {
        case ipv4 = 1
        case ipv6 = 2
    }

    /// The upper 64 bits in host order; zero for IPv4.
    public let high: UInt64
    /// The lower 64 bits in host order; an IPv4 address sits in the lowest 32.
    public let low: UInt64
    /// The family that `high` and `low` are to be read as.
    public let family: Family

    /// An IPv4 address from its 32 bits in host order: `0x7f000001` is 127.0.0.1.
    @inlinable
    public init(ipv4 bits: UInt32) {
        high = 0
        low = UInt64(bits)
        family = .ipv4
    }

    /// An IPv6 address from its two halves in host order.
    @inlinable
    public init(ipv6High high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
        family = .ipv6
    }

    /// The 32 bits of an IPv4 address in host order; meaningless for IPv6.
    @inlinable
    public var ipv4Bits: UInt32 { UInt32(truncatingIfNeeded: low) }

    /// All 128 bits, for comparisons as one integer.
    @inlinable
    public var bits: UInt128 { UInt128(high) << 64 | UInt128(low) }

    /// The unspecified address of a family: 0.0.0.0 or ::.
    @inlinable
    public static func unspecified(_ family: Family) -> IPAddress {
        switch family {
        case .ipv4: IPAddress(ipv4: 0)
        case .ipv6: IPAddress(ipv6High: 0, low: 0)
        }
    }
}
