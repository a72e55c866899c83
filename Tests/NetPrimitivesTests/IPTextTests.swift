import Glibc
import NetPrimitives
import TestSupport
import Testing

@Suite("IP addresses as text")
struct IPTextTests {
    @Test(
        "prints the canonical form of RFC 5952",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("::ffff:192.0.2.128", "::ffff:192.0.2.128"), ("::ffff:c000:280", "::ffff:192.0.2.128"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("fe80:0000::00a1", "fe80::a1"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ]
    )
    func canonical(text: String, expected: String) throws {
        #expect(try IPAddress(parsing: text).description == expected)
    }

    @Test(
        "refuses everything else",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1..2.3", "1.2.3.-4",
            "0x1.2.3.4",
            "1.2.3.4/8", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8:9", "12345::",
            "::g", "fe80::1%eth0", "[::1]", "::1.2.3", "1.2.3.4::", "::1.2.3.4:5", ":1::", "1:", "1:2:3:4:5:6:7:8::",
            "+1::",
            "::0000000000000000000000000000000000000000000001",
        ]
    )
    func malformed(text: String) {
        #expect(throws: IPTextFailure.address) { try IPAddress(parsing: text) }
    }

    @Test("agrees with the system's parser and printer for random addresses")
    func systemReference() throws {
        try checkProperty("IP text agrees with inet_pton") { generator in
            var address = generator.endpoint().address
            if address.family == .ipv6, generator.oneIn(2) {
                // Runs of zeros are the interesting part of IPv6 text.
                let mask = (0..<8).reduce(UInt128(0)) { mask, _ in mask << 16 | (generator.oneIn(2) ? 0xFFFF : 0) }
                let bits = address.bits & mask
                address = IPAddress(ipv6High: UInt64(bits >> 64), low: UInt64(truncatingIfNeeded: bits))
            }
            let text = address.description
            let reread = try IPAddress(parsing: text)
            try claim(reread == address, "\(text) is read back as \(reread)")
            try claim(systemBits(text, address.family) == address.bits, "inet_pton reads \(text) differently")
        }
    }

    @Test(
        "endpoints carry brackets exactly around IPv6",
        arguments: [("192.0.2.1:3478", true), ("[2001:db8::1]:3478", true), ("[::]:0", true)]
            + [
                "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:+1", "192.0.2.1:01",
                "2001:db8::1:3478", "[192.0.2.1]:1", "[::1]", "[::1:1", "::1]:1", ":3478", "[]:1",
                "192.0.2.1:\u{301}80", "[\u{301}::1]:1", "[::1\u{301}]:1", "[::1]\u{301}:1",
            ].map { ($0, false) }
    )
    func endpoints(text: String, isWellFormed: Bool) {
        let endpoint = try? Endpoint(parsing: text)
        #expect(endpoint?.description == (isWellFormed ? text : nil))
    }

    @Test("an IPv4-mapped address is canonically IPv4, and only that one")
    func mapped() throws {
        #expect(try IPAddress(parsing: "::ffff:127.0.0.1").canonical == IPAddress(ipv4: 0x7F00_0001))
        for text in ["::127.0.0.1", "::1:ffff:127.0.0.1", "::fffe:127.0.0.1", "127.0.0.1"] {
            let address = try IPAddress(parsing: text)
            #expect(address.canonical == address)
        }
    }
}

private func systemBits(_ text: String, _ family: IPAddress.Family) -> UInt128? {
    var buffer = [UInt8](repeating: 0, count: 16)
    // SAFETY: the buffer has room for the larger of the two address forms that inet_pton writes.
    let result = unsafe inet_pton(family == .ipv4 ? AF_INET : AF_INET6, text, &buffer)
    guard result == 1 else { return nil }
    return buffer.prefix(family == .ipv4 ? 4 : 16).reduce(0) { $0 << 8 | UInt128($1) }
}
