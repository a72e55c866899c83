import NetPrimitives
import TURNRelay

/// Any bytes as what a raw ICMP socket received, as they are and with a right checksum: behind that stands the rest.
enum ICMPFuzz {
    static func run(_ bytes: RawSpan) throws(FuzzFinding) {
        var input = FuzzInput(bytes)
        let family: IPAddress.Family = input.byte() & 1 == 0 ? .ipv4 : .ipv6
        var packet = input.take(.max)
        try check(packet, family)
        guard family == .ipv4 else { return }
        setChecksum(&packet)
        try check(packet, family)
    }

    private static func check(_ packet: [UInt8], _ family: IPAddress.Family) throws(FuzzFinding) {
        guard let error = ICMPError.parse(packet.span.rawBytes, family: family) else { return }
        let areOfFamily = error.source.address.family == family && error.peer.address.family == family
        try expect(areOfFamily, "\(error) over \(family)")
        try expect(error.source.port != 0 && error.peer.port != 0, "\(error) about no port")
        let types: Set<UInt8> = family == .ipv4 ? [3, 11] : [1, 2, 3]
        try expect(types.contains(error.type), "type \(error.type) is nothing that clients hear of")
        let hasMTU = family == .ipv4 ? error.type == 3 && error.code == 4 : error.type == 2
        try expect(hasMTU || error.errorData == 0, "error data with type \(error.type), code \(error.code)")
        // The beginning of a UDP header has to be there: nothing is read from thin air.
        let headers = family == .ipv4 ? 20 + 8 + 20 + 8 : 8 + 40 + 8
        try expect(packet.count >= headers, "\(packet.count) bytes are no error about a datagram")
        for count in [packet.count - 1, headers - 1] {
            let part = packet.prefix(count) + []
            guard let less = ICMPError.parse(part.span.rawBytes, family: family) else { continue }
            try expect(less.source == error.source && less.peer == error.peer, "the quoted end moves the ports")
        }
    }

    /// The internet checksum of what follows the outer IPv4 header, put where it belongs.
    private static func setChecksum(_ packet: inout [UInt8]) {
        guard let first = packet.first else { return }
        let start = Int(first & 15) * 4
        guard packet.count >= start + 4 else { return }
        packet[start + 2] = 0
        packet[start + 3] = 0
        var sum = 0
        for (index, byte) in packet[start...].enumerated() { sum += index % 2 == 0 ? Int(byte) << 8 : Int(byte) }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        packet[start + 2] = UInt8(truncatingIfNeeded: ~sum >> 8)
        packet[start + 3] = UInt8(truncatingIfNeeded: ~sum)
    }
}
