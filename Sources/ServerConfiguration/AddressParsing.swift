import NetPrimitives

extension IPAddress {
    /// The address that `text` writes, or nil.
    init?(_ text: String) {
        guard let address = try? IPAddress(parsing: text) else { return nil }
        self = address
    }

    /// Whether only this machine can reach the address: 127.0.0.0/8, ::1, and the IPv6-mapped forms of the first.
    var isLoopback: Bool {
        let address = canonical
        switch address.family {
        case .ipv4: return address.ipv4Bits >> 24 == 127
        case .ipv6: return address.bits == 1
        }
    }
}

extension IPPrefix {
    /// The block that `text` writes, or nil.
    init?(_ text: String) {
        guard let prefix = try? IPPrefix(parsing: text) else { return nil }
        self = prefix
    }
}
