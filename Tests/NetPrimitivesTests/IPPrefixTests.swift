import NetPrimitives
import TestSupport
import Testing

@Suite("IPPrefix")
struct IPPrefixTests {
    @Test(
        "reads CIDR notation",
        arguments: [
            ("10.0.0.0/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"), ("::/0", "::/0"), ("192.0.2.7", "192.0.2.7/32"),
            ("fe80::/10", "fe80::/10"), ("::1", "::1/128"), ("fd00:ec2::254/128", "fd00:ec2::254/128"),
        ]
    )
    func wellFormed(text: String, expected: String) throws {
        #expect(try IPPrefix(parsing: text).description == expected)
    }

    @Test(
        "names what is wrong",
        arguments: [
            ("10.0.0.0/33", IPTextFailure.prefixLength), ("::/129", .prefixLength), ("10.0.0.0/", .prefixLength),
            ("10.0.0.0/08", .prefixLength), ("10.0.0.0/-1", .prefixLength), ("10.0.0.0/8/8", .prefixLength),
            ("10.0.0.0/99999999999999999999", .prefixLength), ("10.0.0.1/8", .hostBits), ("fe80::1/10", .hostBits),
            ("10.0.0/8", .address), ("", .address), ("/8", .address), ("example.org/8", .address),
            // What combines with the slash makes one Character of both.
            ("10.0.0.0/\u{338}8", .prefixLength),
        ]
    )
    func malformed(text: String, expected: IPTextFailure) {
        #expect(throws: expected) { try IPPrefix(parsing: text) }
    }

    @Test("blocks overlap when one contains the other")
    func overlap() throws {
        func overlaps(_ one: String, _ other: String) throws -> Bool {
            let (one, other) = (try IPPrefix(parsing: one), try IPPrefix(parsing: other))
            #expect(one.overlaps(other) == other.overlaps(one))
            return one.overlaps(other)
        }
        #expect(try overlaps("0.0.0.0/0", "10.0.0.0/8") && overlaps("10.1.0.0/16", "10.0.0.0/8"))
        #expect(try !overlaps("10.0.0.0/9", "10.128.0.0/9") && !overlaps("0.0.0.0/0", "::/0"))
    }

    @Test("a block contains itself and what is inside it, and nothing that is larger")
    func nested() throws {
        let (large, small) = (try IPPrefix(parsing: "10.0.0.0/8"), try IPPrefix(parsing: "10.0.0.0/16"))
        #expect(large.contains(small) && large.contains(large) && !small.contains(large))
        #expect(try !IPPrefix(parsing: "::/0").contains(large) && !IPPrefix(parsing: "10.1.0.0/16").contains(small))
    }

    @Test("contains exactly the addresses whose leading bits agree, bit by bit")
    func reference() throws {
        try checkProperty("IPPrefix against bits") { generator in
            let first = generator.endpoint().address
            let width = first.family == .ipv4 ? 32 : 128
            let length = Int.random(in: 0...width, using: &generator)
            let masked = zeroing(first, from: length)
            let prefix = try IPPrefix(address: masked, length: UInt8(length))
            var second = first
            // Differ in one random bit, so that both outcomes are frequent.
            let bit = Int.random(in: 0..<width, using: &generator)
            second = flipping(second, bit)
            try claim(prefix.contains(first), "\(prefix) lacks \(first)")
            try claim(prefix.contains(second) == (bit >= length), "\(prefix) and \(second), bit \(bit)")
            let other = first.family == .ipv4 ? IPAddress(ipv6High: 0, low: first.low) : IPAddress(ipv4: 0)
            try claim(!prefix.contains(other), "\(prefix) contains \(other) of the other family")
        }
    }
}

private func bits(_ address: IPAddress) -> [Bool] {
    let width = address.family == .ipv4 ? 32 : 128
    return (0..<width).map { address.bits >> UInt128(width - 1 - $0) & 1 == 1 }
}

private func address(_ bits: [Bool]) -> IPAddress {
    let value = bits.reduce(UInt128(0)) { $0 << 1 | ($1 ? 1 : 0) }
    return bits.count == 32
        ? IPAddress(ipv4: UInt32(value))
        : IPAddress(ipv6High: UInt64(value >> 64), low: UInt64(truncatingIfNeeded: value))
}

private func zeroing(_ original: IPAddress, from length: Int) -> IPAddress {
    address(bits(original).enumerated().map { $0.offset < length && $0.element })
}

private func flipping(_ original: IPAddress, _ bit: Int) -> IPAddress {
    var changed = bits(original)
    changed[bit].toggle()
    return address(changed)
}
