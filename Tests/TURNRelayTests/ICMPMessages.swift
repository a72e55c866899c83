import NetPrimitives

/// ICMP errors as a raw socket hears them, written from RFC 792, RFC 4443 and RFC 8200.
enum ICMPMessages {
    /// An IPv4 error with its IP header, about a UDP datagram of ours.
    static func ipv4(
        type: UInt8 = 3,
        code: UInt8 = 3,
        mtu: UInt16 = 0,
        from source: Endpoint,
        to peer: Endpoint,
        outerOptions: Int = 0,
        innerOptions: Int = 0,
        innerProtocol: UInt8 = 17,
        fragment: UInt16 = 0x4000
    ) -> [UInt8] {
        let quoted =
            ipv4Header(innerProtocol, options: innerOptions, fragment: fragment, source.address, peer.address)
            + udpHeader(source.port, peer.port)
        var message: [UInt8] = [type, code, 0, 0, 0, 0] + word(mtu) + quoted
        let sum = checksum(message)
        message[2] = UInt8(sum >> 8)
        message[3] = UInt8(sum & 0xFF)
        return ipv4Header(1, options: outerOptions, fragment: 0, peer.address, source.address) + message
    }

    /// An IPv6 error, which comes without the IP header. `extensions` stand between the quoted header and UDP's.
    static func ipv6(
        type: UInt8 = 1,
        code: UInt8 = 4,
        mtu: UInt32 = 0,
        from source: Endpoint,
        to peer: Endpoint,
        nextHeader: UInt8 = 17,
        extensions: [UInt8] = []
    ) -> [UInt8] {
        [type, code, 0, 0] + word(UInt16(mtu >> 16)) + word(UInt16(mtu & 0xFFFF))
            + [0x60, 0, 0, 0, 0, 8, nextHeader, 64] + bytes(source.address) + bytes(peer.address)
            + extensions + udpHeader(source.port, peer.port)
    }

    private static func ipv4Header(
        _ inner: UInt8,
        options: Int,
        fragment: UInt16,
        _ source: IPAddress,
        _ destination: IPAddress
    ) -> [UInt8] {
        [0x45 + UInt8(options), 0, 0, 0, 0, 0] + word(fragment) + [64, inner, 0, 0] + bytes(source) + bytes(destination)
            + [UInt8](repeating: 1, count: options * 4)
    }

    private static func udpHeader(_ source: UInt16, _ destination: UInt16) -> [UInt8] {
        word(source) + word(destination) + [0, 8, 0, 0]
    }

    private static func word(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

    private static func bytes(_ address: IPAddress) -> [UInt8] {
        let all = (0..<16).map { UInt8(truncatingIfNeeded: address.bits >> (120 - 8 * UInt128($0))) }
        return address.family == .ipv4 ? Array(all[12...]) : all
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum = 0
        for (index, byte) in bytes.enumerated() { sum += index % 2 == 0 ? Int(byte) << 8 : Int(byte) }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        return ~UInt16(sum)
    }
}
