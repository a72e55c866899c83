extension IPAddress {
    /// The address that `text` writes: dotted decimal without leading zeros, or an IPv6 address as RFC 4291 §2.2 allows.
    /// No brackets, no zone, no prefix length.
    public init(parsing text: some StringProtocol) throws(IPTextFailure) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            self = try Self.parseIPv6(Array(text.utf8))
        } else {
            self.init(ipv4: try Self.parseIPv4(Array(text.utf8)[...]))
        }
    }

    private static func parseIPv4(_ text: ArraySlice<UInt8>) throws(IPTextFailure) -> UInt32 {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { throw .address }
        var bits: UInt32 = 0
        for part in parts {
            guard let first = part.first, part.count <= 3 else { throw .address }
            guard first != UInt8(ascii: "0") || part.count == 1 else { throw .address }
            var value: UInt32 = 0
            for digit in part {
                guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { throw .address }
                value = value * 10 + UInt32(digit - UInt8(ascii: "0"))
            }
            guard value <= 255 else { throw .address }
            bits = bits << 8 | value
        }
        return bits
    }

    private static func parseIPv6(_ text: [UInt8]) throws(IPTextFailure) -> IPAddress {
        // Longest form: eight groups of four digits, or six groups and dotted decimal.
        guard text.count <= 45 else { throw .address }
        guard let gap = firstDoubleColon(text) else {
            let groups = try groups(of: text[...])
            guard groups.count == 8 else { throw .address }
            return IPAddress(groups: groups)
        }
        let left = try groups(of: text[..<gap], mayEndInIPv4: false)
        let right = try groups(of: text[(gap + 2)...])
        // The gap stands for one group at least.
        guard left.count + right.count <= 7 else { throw .address }
        let zeros = [UInt16](repeating: 0, count: 8 - left.count - right.count)
        return IPAddress(groups: left + zeros + right)
    }

    private static func firstDoubleColon(_ text: [UInt8]) -> Int? {
        text.indices.dropLast().first { text[$0] == UInt8(ascii: ":") && text[$0 + 1] == UInt8(ascii: ":") }
    }

    private static func groups(
        of text: ArraySlice<UInt8>,
        mayEndInIPv4: Bool = true
    ) throws(IPTextFailure) -> [UInt16] {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count <= 8 else { throw .address }
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                let bits = try parseIPv4(part)
                groups += [UInt16(truncatingIfNeeded: bits >> 16), UInt16(truncatingIfNeeded: bits)]
            } else {
                groups.append(try group(part))
            }
        }
        return groups
    }

    private static func group(_ digits: ArraySlice<UInt8>) throws(IPTextFailure) -> UInt16 {
        guard (1...4).contains(digits.count) else { throw .address }
        var value: UInt16 = 0
        for digit in digits {
            let nibble: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): nibble = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): nibble = digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): nibble = digit - UInt8(ascii: "A") + 10
            default: throw .address
            }
            value = value << 4 | UInt16(nibble)
        }
        return value
    }

    private init(groups: [UInt16]) {
        let bits = groups.reduce(into: UInt128(0)) { $0 = $0 << 16 | UInt128($1) }
        self.init(ipv6High: UInt64(truncatingIfNeeded: bits >> 64), low: UInt64(truncatingIfNeeded: bits))
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted decimal, or the canonical IPv6 text of RFC 5952.
    public var description: String {
        switch family {
        case .ipv4: Self.dotted(ipv4Bits)
        case .ipv6: ipv6Text
        }
    }

    /// `::ffff:192.0.2.1` as 192.0.2.1, every other address unchanged. A policy looks at this form: the kernel treats
    /// both as one destination.
    @inlinable
    public var canonical: IPAddress {
        guard family == .ipv6, high == 0, low >> 32 == 0xFFFF else { return self }
        return IPAddress(ipv4: UInt32(truncatingIfNeeded: low))
    }

    /// Whether only this machine can reach the address: 127.0.0.0/8, ::1, and the IPv6-mapped forms of the first.
    public var isLoopback: Bool {
        let address = canonical
        switch address.family {
        case .ipv4: return address.ipv4Bits >> 24 == 127
        case .ipv6: return address.bits == 1
        }
    }

    private static func dotted(_ bits: UInt32) -> String {
        "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
    }

    private var ipv6Text: String {
        if high == 0, low >> 32 == 0xFFFF { return "::ffff:" + Self.dotted(UInt32(truncatingIfNeeded: low)) }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> (112 - 16 * $0)) }
        let gap = Self.longestZeroRun(groups)
        func hex(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard let gap else { return hex(groups[...]) }
        return hex(groups[..<gap.lowerBound]) + "::" + hex(groups[gap.upperBound...])
    }

    /// The first of the longest runs of zero groups; a single zero group is not shortened (RFC 5952 §4.2).
    private static func longestZeroRun(_ groups: [UInt16]) -> Range<Int>? {
        var longest: Range<Int>?
        var start = 0
        while start < groups.count {
            guard groups[start] == 0 else {
                start += 1
                continue
            }
            let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
            if end - start >= 2, end - start > (longest?.count ?? 0) { longest = start..<end }
            start = end
        }
        return longest
    }
}
