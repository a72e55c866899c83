public import NetPrimitives

/// What an ICMP error says about a UDP datagram that this host sent. Plain data, and a rumour: whoever guesses addresses and
/// ports can send one, so it is passed on as a hint and nothing is decided by it.
public struct ICMPError: Hashable, Sendable, BitwiseCopyable {
    /// Where the datagram came from: a relay socket's local endpoint, if it was one of ours.
    public let source: Endpoint
    /// Where it was to go.
    public let peer: Endpoint
    /// The ICMP type, by the family of the endpoints.
    public let type: UInt8
    /// The ICMP code.
    public let code: UInt8
    /// The MTU of the next hop in "fragmentation needed" and "packet too big", zero otherwise (RFC 8656 §18.13).
    public let errorData: UInt32

    /// An error about a datagram from `source` to `peer`.
    public init(source: Endpoint, peer: Endpoint, type: UInt8, code: UInt8, errorData: UInt32 = 0) {
        self.source = source
        self.peer = peer
        self.type = type
        self.code = code
        self.errorData = errorData
    }
}

extension ICMPError {
    /// Reads what a raw ICMP socket received: over IPv4 with the outer IP header, over IPv6 without.
    ///
    /// Nil for everything but the types that RFC 8656 §11.5 passes on, quoting the beginning of a UDP datagram. Over IPv4
    /// the checksum is verified, which the kernel leaves to raw sockets; over IPv6 the kernel has done it.
    public static func parse(_ bytes: RawSpan, family: IPAddress.Family) -> ICMPError? {
        switch family {
        case .ipv4: parseIPv4(bytes)
        case .ipv6: parseIPv6(bytes)
        }
    }

    /// Type, code, checksum and the word behind them.
    private static let headerByteCount = 8
    private static let udp: UInt8 = 17

    private static func parseIPv4(_ bytes: RawSpan) -> ICMPError? {
        guard let outer = ipv4HeaderByteCount(bytes), bytes.uint8(at: 9) == 1,
            let message = bytes.slice(at: outer, length: bytes.byteCount &- outer),
            isChecksumRight(message),
            let type = message.uint8(at: 0), type == 3 || type == 11,
            let code = message.uint8(at: 1),
            let mtu = message.uint16(at: 6),
            let quoted = message.slice(at: headerByteCount, length: message.byteCount &- headerByteCount),
            let inner = ipv4HeaderByteCount(quoted), quoted.uint8(at: 9) == udp,
            // A later fragment begins with payload, which anybody may have filled with what looks like ports.
            let fragment = quoted.uint16(at: 6), fragment & 0x1FFF == 0,
            let source = quoted.uint32(at: 12), let destination = quoted.uint32(at: 16),
            let ports = ports(quoted, at: inner)
        else { return nil }
        return ICMPError(
            source: Endpoint(address: IPAddress(ipv4: source), port: ports.source),
            peer: Endpoint(address: IPAddress(ipv4: destination), port: ports.destination),
            type: type,
            code: code,
            errorData: type == 3 && code == 4 ? UInt32(mtu) : 0
        )
    }

    private static func parseIPv6(_ message: RawSpan) -> ICMPError? {
        guard let type = message.uint8(at: 0), (1...3).contains(type),
            let code = message.uint8(at: 1),
            let mtu = message.uint32(at: 4),
            let quoted = message.slice(at: headerByteCount, length: message.byteCount &- headerByteCount),
            let version = quoted.uint8(at: 0), version >> 4 == 6,
            let sourceHigh = quoted.uint64(at: 8), let sourceLow = quoted.uint64(at: 16),
            let destinationHigh = quoted.uint64(at: 24), let destinationLow = quoted.uint64(at: 32),
            let offset = udpOffset(inIPv6: quoted),
            let ports = ports(quoted, at: offset)
        else { return nil }
        return ICMPError(
            source: Endpoint(address: IPAddress(ipv6High: sourceHigh, low: sourceLow), port: ports.source),
            peer: Endpoint(address: IPAddress(ipv6High: destinationHigh, low: destinationLow), port: ports.destination),
            type: type,
            code: code,
            errorData: type == 2 ? mtu : 0
        )
    }

    /// The length of the IPv4 header that `bytes` begin with; nil if it is none.
    private static func ipv4HeaderByteCount(_ bytes: RawSpan) -> Int? {
        guard let first = bytes.uint8(at: 0), first >> 4 == 4 else { return nil }
        let count = Int(first & 15) &* 4
        return count >= 20 && bytes.hasBytes(count, at: 0) ? count : nil
    }

    /// Where the UDP header begins behind an IPv6 header.
    ///
    /// Our own datagrams have at most a Fragment header in between, and that of the first fragment; a host or router on the
    /// way adds none. Anything else was not sent by a relay socket.
    private static func udpOffset(inIPv6 quoted: RawSpan) -> Int? {
        switch quoted.uint8(at: 6) {
        case udp: return 40
        case 44:
            guard quoted.uint8(at: 40) == udp, let fragment = quoted.uint16(at: 42), fragment >> 3 == 0 else {
                return nil
            }
            return 48
        default: return nil
        }
    }

    /// The ports of a UDP header, all of which has to be quoted, as every ICMP error does (RFC 792, RFC 4443 §2.4).
    private static func ports(_ bytes: RawSpan, at offset: Int) -> (source: UInt16, destination: UInt16)? {
        guard bytes.hasBytes(8, at: offset), let source = bytes.uint16(at: offset),
            let destination = bytes.uint16(at: offset &+ 2), source != 0, destination != 0
        else { return nil }
        return (source, destination)
    }

    /// The internet checksum (RFC 1071): all 16-bit words, the checksum among them, add up to all ones.
    private static func isChecksumRight(_ message: RawSpan) -> Bool {
        var sum: UInt64 = 0
        var offset = 0
        while let word = message.uint16(at: offset) {
            sum &+= UInt64(word)
            offset &+= 2
        }
        if let last = message.uint8(at: offset) { sum &+= UInt64(last) << 8 }
        while sum >> 16 != 0 { sum = sum & 0xFFFF &+ sum >> 16 }
        return sum == 0xFFFF
    }
}
