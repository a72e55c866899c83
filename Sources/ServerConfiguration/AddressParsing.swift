import NetPrimitives

extension IPAddress {
    /// The address that `text` writes, or nil.
    init?(_ text: String) {
        guard let address = try? IPAddress(parsing: text) else { return nil }
        self = address
    }

    /// Why no host can be reached at the address, in words for the operator; nil if one can.
    var problemAsHost: String? {
        guard canonical == self else { return "write it as IPv4, \(canonical)" }
        if self == .unspecified(family) { return "it stands for no address of its own" }
        let isMulticast = family == .ipv4 ? ipv4Bits >> 28 == 0xE : high >> 56 == 0xFF
        if isMulticast || self == IPAddress(ipv4: 0xFFFF_FFFF) { return "it stands for many hosts" }
        return nil
    }
}

extension IPPrefix {
    /// The block that `text` writes, or nil.
    init?(_ text: String) {
        guard let prefix = try? IPPrefix(parsing: text) else { return nil }
        self = prefix
    }

    /// A block of IPv4-mapped addresses (::ffff:0:0/96) as IPv4 writes it; nil for every other block.
    var unmapped: IPPrefix? {
        guard length >= 96, address.canonical != address else { return nil }
        return try? IPPrefix(address: address.canonical, length: length - 96)
    }
}
