internal import NetPrimitives

/// The addresses that a datagram to one address may end at: itself and the IPv4 addresses that it embeds.
struct ReachableForms: BitwiseCopyable {
    private var items: InlineArray<5, IPAddress>
    private(set) var count = 0

    fileprivate init() { items = InlineArray(repeating: .unspecified(.ipv4)) }

    subscript(index: Int) -> IPAddress { items[index] }

    fileprivate mutating func append(_ address: IPAddress) {
        items[count] = address
        count += 1
    }

    fileprivate mutating func append(ipv4 bits: UInt64) {
        append(IPAddress(ipv4: UInt32(truncatingIfNeeded: bits)))
    }
}

extension IPAddress {
    /// Every form of the address that a policy has to look at. Never empty.
    ///
    /// The one place that knows all encodings, so that no decision can be evaded by writing an address in another way:
    /// IPv4-mapped and IPv4-compatible (RFC 4291 §2.5.5), IPv4-translated (RFC 2765 §2.1), 6to4 (RFC 3056), NAT64's
    /// well-known (RFC 6052) and local-use prefix (RFC 8215), ISATAP (RFC 5214 §6.1), and Teredo (RFC 4380 §4), whose
    /// server stands in the clear and whose client is inverted. A translator's own network-specific prefix looks like any
    /// other global address and has to be denied by setting.
    var reachableForms: ReachableForms {
        var forms = ReachableForms()
        // A mapped address is nothing but its IPv4 form, while every other one is reached as itself too.
        if !isIPv4Mapped { forms.append(self) }
        guard family == .ipv6 else { return forms }
        let upperLow = low >> 32
        if high == 0 {
            // :: and ::1 are addresses of their own, not 0.0.0.0 and 0.0.0.1.
            let isCompatible = upperLow == 0 && low > 1
            if isCompatible || isIPv4Mapped || upperLow == 0xFFFF_0000 { forms.append(ipv4: low) }
        } else if high >> 48 == 0x2002 {
            forms.append(ipv4: high >> 16)
        } else if high == 0x0064_FF9B_0000_0000, upperLow == 0 {
            forms.append(ipv4: low)
        } else if high >> 16 == 0x0064_FF9B_0001 {
            appendLocalNAT64(&forms)
        } else if high >> 32 == 0x2001_0000 {
            forms.append(ipv4: ~low)
            forms.append(ipv4: high)
        } else if upperLow & ~0x0200_0000 == 0x0000_5EFE {
            forms.append(ipv4: low)
        }
        return forms
    }

    /// 64:ff9b:1::/48 is cut by each network as it likes, and where the IPv4 address stands depends on that (RFC 6052
    /// §2.2, with the byte from bit 64 skipped): all four readings count. Those in 0.0.0.0/8 are what a longer prefix
    /// looks like when it is read as a shorter one, and no translator delivers to them.
    private func appendLocalNAT64(_ forms: inout ReachableForms) {
        let readings: InlineArray<4, UInt64> = [
            high << 16 & 0xFFFF_0000 | low >> 40 & 0xFFFF,
            high << 24 & 0xFF00_0000 | low >> 32 & 0xFF_FFFF,
            low >> 24 & 0xFFFF_FFFF,
            low & 0xFFFF_FFFF,
        ]
        for index in readings.indices where readings[index] >> 24 != 0 { forms.append(ipv4: readings[index]) }
    }

    /// Whether this is an IPv6 spelling of an IPv4 address, which no IPv6 socket of ours sends to.
    var isIPv4Mapped: Bool { family == .ipv6 && high == 0 && low >> 32 == 0xFFFF }
}
