import NetPrimitives

/// A range that nobody is relayed to by default, written by its ends: nothing here is shared with the policy's prefixes.
struct DeniedRange: Sendable, CustomStringConvertible {
    let first: IPAddress
    let last: IPAddress
    /// Whether no setting opens it.
    let isFinal: Bool

    var description: String { "\(first)…\(last)" }

    private init(_ first: String, _ last: String, isFinal: Bool = false) {
        func address(_ text: String) -> IPAddress {
            guard let address = try? IPAddress(parsing: text) else { preconditionFailure("\(text) is misspelt") }
            return address
        }
        self.first = address(first)
        self.last = address(last)
        self.isFinal = isFinal
    }

    func contains(_ address: IPAddress) -> Bool {
        address.family == first.family && first.bits <= address.bits && address.bits <= last.bits
    }

    /// The range's first and last address, and one from between.
    var members: [IPAddress] {
        let middle = first.bits + (last.bits - first.bits) / 3
        return [first, Self.address(middle, first.family), last]
    }

    /// The addresses just outside.
    var neighbours: [IPAddress] {
        let width: UInt128 = first.family == .ipv4 ? 0xFFFF_FFFF : .max
        var neighbours: [IPAddress] = []
        if first.bits > 0 { neighbours.append(Self.address(first.bits - 1, first.family)) }
        if last.bits < width { neighbours.append(Self.address(last.bits + 1, first.family)) }
        return neighbours
    }

    private static func address(_ bits: UInt128, _ family: IPAddress.Family) -> IPAddress {
        switch family {
        case .ipv4: IPAddress(ipv4: UInt32(bits))
        case .ipv6: IPAddress(ipv6High: UInt64(bits >> 64), low: UInt64(truncatingIfNeeded: bits))
        }
    }

    static let ipv4 = [
        DeniedRange("0.0.0.0", "0.255.255.255", isFinal: true), DeniedRange("10.0.0.0", "10.255.255.255"),
        DeniedRange("100.64.0.0", "100.127.255.255"), DeniedRange("100.100.100.200", "100.100.100.200", isFinal: true),
        DeniedRange("127.0.0.0", "127.255.255.255"), DeniedRange("168.63.129.16", "168.63.129.16", isFinal: true),
        DeniedRange("169.254.0.0", "169.254.255.255", isFinal: true), DeniedRange("172.16.0.0", "172.31.255.255"),
        DeniedRange("192.0.0.0", "192.0.0.255"), DeniedRange("192.0.2.0", "192.0.2.255"),
        DeniedRange("192.31.196.0", "192.31.196.255"), DeniedRange("192.52.193.0", "192.52.193.255"),
        DeniedRange("192.88.99.0", "192.88.99.255"), DeniedRange("192.168.0.0", "192.168.255.255"),
        DeniedRange("192.175.48.0", "192.175.48.255"), DeniedRange("198.18.0.0", "198.19.255.255"),
        DeniedRange("198.51.100.0", "198.51.100.255"), DeniedRange("203.0.113.0", "203.0.113.255"),
        DeniedRange("224.0.0.0", "239.255.255.255", isFinal: true),
        DeniedRange("240.0.0.0", "255.255.255.255", isFinal: true),
    ]

    private static let ones = "ffff:ffff:ffff:ffff"
    static let ipv6 = [
        DeniedRange("::", "::", isFinal: true), DeniedRange("::1", "::1"),
        DeniedRange("64:ff9b::", "64:ff9b::ffff:ffff"), DeniedRange("64:ff9b:1::", "64:ff9b:1:ffff:\(ones)"),
        DeniedRange("100::", "100::\(ones)"), DeniedRange("100:0:0:1::", "100:0:0:1:\(ones)"),
        DeniedRange("2001::", "2001:0:ffff:ffff:\(ones)", isFinal: true),
        DeniedRange("2001::", "2001:1ff:ffff:ffff:\(ones)"), DeniedRange("2001:db8::", "2001:db8:ffff:ffff:\(ones)"),
        DeniedRange("2002::", "2002:ffff:ffff:ffff:\(ones)", isFinal: true),
        DeniedRange("2620:4f:8000::", "2620:4f:8000:ffff:\(ones)"), DeniedRange("3fff::", "3fff:fff:ffff:ffff:\(ones)"),
        DeniedRange("5f00::", "5f00:ffff:ffff:ffff:\(ones)"), DeniedRange("fc00::", "fdff:ffff:ffff:ffff:\(ones)"),
        DeniedRange("fd00:ec2::254", "fd00:ec2::254", isFinal: true),
        DeniedRange("fe80::", "febf:ffff:ffff:ffff:\(ones)", isFinal: true),
        DeniedRange("fec0::", "feff:ffff:ffff:ffff:\(ones)", isFinal: true),
        DeniedRange("ff00::", "ffff:ffff:ffff:ffff:\(ones)", isFinal: true),
    ]

    static let all = ipv4 + ipv6
}

/// The ways to write an IPv4 address as an IPv6 one.
enum IPv4Encoding: CaseIterable, Sendable {
    case mapped, compatible, translated, sixToFour, nat64, localNAT64, localNAT64Shortest, teredoClient, teredoServer,
        isatap

    func callAsFunction(_ address: IPAddress) -> IPAddress {
        let bits = UInt64(address.ipv4Bits)
        let (high, low): (UInt64, UInt64) =
            switch self {
            case .mapped: (0, 0xFFFF_0000_0000 | bits)
            case .compatible: (0, bits)
            case .translated: (0, 0xFFFF_0000_0000_0000 | bits)
            case .sixToFour: (0x2002_0000_0000_0000 | bits << 16, 1)
            case .nat64: (0x0064_FF9B_0000_0000, bits)
            case .localNAT64: (0x0064_FF9B_0001_0000, bits)
            // RFC 6052 §2.2: half of it before the byte from bit 64, half behind.
            case .localNAT64Shortest: (0x0064_FF9B_0001_0000 | bits >> 16, (bits & 0xFFFF) << 40)
            case .teredoClient: (0x2001_0000_0808_0808, 0x8000_F227_0000_0000 | (bits ^ 0xFFFF_FFFF))
            case .teredoServer: (0x2001_0000_0000_0000 | bits, 0x8000_F227_F7F7_F7F7)
            case .isatap: (0x2A00_1450_0000_0000, 0x0200_5EFE_0000_0000 | bits)
            }
        return IPAddress(ipv6High: high, low: low)
    }
}
