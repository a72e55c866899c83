/// A block of IP addresses in CIDR notation.
public struct IPPrefix: Hashable, Sendable, BitwiseCopyable {
    /// The first address of the block.
    public let address: IPAddress
    /// How many leading bits are fixed: at most 32 for IPv4 and 128 for IPv6.
    public let length: UInt8

    /// The block of addresses that share their first `length` bits with `address`.
    ///
    /// Refuses a length that the family does not have and an address with bits set behind the prefix: `10.0.0.1/8` is
    /// more often a mistake in the length than a clumsy way of writing `10.0.0.0/8`.
    public init(address: IPAddress, length: UInt8) throws(IPTextFailure) {
        guard length <= address.family.bitWidth else { throw .prefixLength }
        guard address.bits & ~Self.mask(length, of: address.family) == 0 else { throw .hostBits }
        self.address = address
        self.length = length
    }

    /// The block that `text` writes: an address, `/` and a decimal length, or an address alone for just that address.
    public init(parsing text: some StringProtocol) throws(IPTextFailure) {
        let text = Substring(text)
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else {
            let address = try IPAddress(parsing: text)
            try self.init(address: address, length: address.family.bitWidth)
            return
        }
        let address = try IPAddress(parsing: text[..<slash])
        let digits = text[text.utf8.index(after: slash)...]
        guard let length = UInt8(exactly: try decimal(digits, maximum: 128)) else { throw .prefixLength }
        try self.init(address: address, length: length)
    }

    /// Whether `other` lies in the block. An address of the other family never does.
    @inlinable
    public func contains(_ other: IPAddress) -> Bool {
        guard other.family == address.family else { return false }
        return (other.bits ^ address.bits) & Self.mask(length, of: address.family) == 0
    }

    /// Whether all of `other` lies in the block.
    public func contains(_ other: IPPrefix) -> Bool { length <= other.length && contains(other.address) }

    /// Whether an address lies in both blocks: then one of them contains the other.
    public func overlaps(_ other: IPPrefix) -> Bool { contains(other) || other.contains(self) }

    /// The fixed bits, at the places where `IPAddress.bits` has them.
    @inlinable
    static func mask(_ length: UInt8, of family: IPAddress.Family) -> UInt128 {
        // A shift by the whole width yields zero: Swift's smart shifts do not wrap.
        let free = Int(family.bitWidth) - Int(length)
        let width: UInt128 = family == .ipv4 ? 0xFFFF_FFFF : .max
        return width & (UInt128.max << free)
    }
}

extension IPPrefix: CustomStringConvertible {
    /// CIDR notation, with the length also where it is the whole address.
    public var description: String { "\(address)/\(length)" }
}

extension IPAddress.Family {
    /// The bits of an address of this family.
    @inlinable
    public var bitWidth: UInt8 {
        switch self {
        case .ipv4: 32
        case .ipv6: 128
        }
    }
}
