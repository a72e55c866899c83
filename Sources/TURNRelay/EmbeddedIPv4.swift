internal import NetPrimitives

extension IPAddress {
    /// The IPv4 addresses that this IPv6 address may turn into on its way: up to two, for Teredo.
    ///
    /// The one place that knows all encodings, so that no policy decision can be evaded by writing an address in another
    /// way: IPv4-mapped and IPv4-compatible (RFC 4291 §2.5.5), IPv4-translated (RFC 2765 §2.1), 6to4 (RFC 3056), NAT64's
    /// well-known prefix (RFC 6052) and Teredo (RFC 4380 §4), whose server stands in the clear and whose client is inverted.
    var embeddedIPv4: (IPAddress?, IPAddress?) {
        guard family == .ipv6 else { return (nil, nil) }
        let lowest = UInt32(truncatingIfNeeded: low)
        let upperLow = low >> 32
        if high == 0 {
            if upperLow == 0xFFFF || upperLow == 0xFFFF_0000 { return (IPAddress(ipv4: lowest), nil) }
            // :: and ::1 are addresses of their own, not 0.0.0.0 and 0.0.0.1.
            if upperLow == 0, lowest > 1 { return (IPAddress(ipv4: lowest), nil) }
            return (nil, nil)
        }
        if high >> 48 == 0x2002 {
            return (IPAddress(ipv4: UInt32(truncatingIfNeeded: high >> 16)), nil)
        }
        if high == 0x0064_FF9B_0000_0000, upperLow == 0 {
            return (IPAddress(ipv4: lowest), nil)
        }
        if high >> 32 == 0x2001_0000 {
            return (IPAddress(ipv4: ~lowest), IPAddress(ipv4: UInt32(truncatingIfNeeded: high)))
        }
        return (nil, nil)
    }

    /// Whether this is an IPv6 spelling of an IPv4 address, which no IPv6 socket of ours sends to.
    var isIPv4Mapped: Bool { family == .ipv6 && high == 0 && low >> 32 == 0xFFFF }
}
