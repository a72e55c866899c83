import NetPrimitives
import TestSupport
import Testing

@testable import TURNRelay

@Suite("ICMP errors, read")
struct ICMPErrorTests {
    private let relay4 = Endpoint(address: IPAddress(ipv4: 0xC000_0201), port: 50_000)
    private let peer4 = Endpoint(address: IPAddress(ipv4: 0xCB00_7109), port: 5000)
    private let relay6 = Endpoint(address: IPAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 1), port: 50_001)
    private let peer6 = Endpoint(address: IPAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 9), port: 5001)

    private func parse(_ bytes: [UInt8], _ family: IPAddress.Family) -> ICMPError? {
        ICMPError.parse(bytes.span.rawBytes, family: family)
    }

    @Test("IPv4: types 3 and 11 and no other, with the quoted datagram's ends (RFC 8656 §11.5)")
    func ipv4Types() {
        for type in UInt8.min...UInt8.max {
            let error = parse(ICMPMessages.ipv4(type: type, code: 1, from: relay4, to: peer4), .ipv4)
            let expected = ICMPError(source: relay4, peer: peer4, type: type, code: 1)
            #expect(error == (type == 3 || type == 11 ? expected : nil), "type \(type)")
        }
    }

    @Test("IPv6: types 1, 2 and 3 and no other")
    func ipv6Types() {
        for type in UInt8.min...UInt8.max {
            let error = parse(ICMPMessages.ipv6(type: type, code: 0, from: relay6, to: peer6), .ipv6)
            let expected = ICMPError(source: relay6, peer: peer6, type: type, code: 0)
            #expect(error == ((1...3).contains(type) ? expected : nil), "type \(type)")
        }
    }

    @Test("the next hop's MTU comes with 'fragmentation needed' and 'packet too big', nothing with the others")
    func mtu() {
        func data4(_ type: UInt8, _ code: UInt8) -> UInt32? {
            parse(ICMPMessages.ipv4(type: type, code: code, mtu: 1400, from: relay4, to: peer4), .ipv4)?.errorData
        }
        #expect(data4(3, 4) == 1400)
        #expect(data4(3, 3) == 0 && data4(11, 4) == 0)
        let large: UInt32 = 0x0001_0203
        #expect(parse(ICMPMessages.ipv6(type: 2, mtu: large, from: relay6, to: peer6), .ipv6)?.errorData == large)
        #expect(parse(ICMPMessages.ipv6(type: 1, mtu: large, from: relay6, to: peer6), .ipv6)?.errorData == 0)
    }

    @Test("IP options, within and without, do not hide the ports")
    func options() {
        for outer in 0...10 {
            for inner in 0...10 {
                let bytes = ICMPMessages.ipv4(from: relay4, to: peer4, outerOptions: outer, innerOptions: inner)
                #expect(parse(bytes, .ipv4)?.peer == peer4, "\(outer), \(inner)")
            }
        }
    }

    @Test("only UDP's first fragment has ports")
    func fragments() {
        for fragment: UInt16 in [0x0001, 0x1FFF, 0x2001] {
            #expect(parse(ICMPMessages.ipv4(from: relay4, to: peer4, fragment: fragment), .ipv4) == nil)
        }
        #expect(parse(ICMPMessages.ipv4(from: relay4, to: peer4, fragment: 0x2000), .ipv4) != nil)
        #expect(parse(ICMPMessages.ipv4(from: relay4, to: peer4, innerProtocol: 6), .ipv4) == nil)
        func header6(_ next: UInt8, _ offset: UInt16) -> [UInt8] {
            let header = [next, 0, UInt8(offset >> 8), UInt8(offset & 0xFF), 0, 0, 0, 1]
            return ICMPMessages.ipv6(from: relay6, to: peer6, nextHeader: 44, extensions: header)
        }
        #expect(parse(header6(17, 0x0001), .ipv6)?.source == relay6)
        #expect(parse(header6(17, 0x0008), .ipv6) == nil)
        #expect(parse(header6(6, 0), .ipv6) == nil)
        for next: UInt8 in [0, 6, 43, 50, 51, 58, 59, 60] {
            let bytes = ICMPMessages.ipv6(
                from: relay6,
                to: peer6,
                nextHeader: next,
                extensions: [17, 0, 0, 0, 0, 0, 0, 0]
            )
            #expect(parse(bytes, .ipv6) == nil, "no datagram of ours has header \(next)")
        }
    }

    @Test("a wrong checksum, ports of zero, the other family's form and anything cut short are nothing")
    func broken() {
        let right4 = ICMPMessages.ipv4(from: relay4, to: peer4)
        let right6 = ICMPMessages.ipv6(from: relay6, to: peer6)
        for offset in 20..<right4.count {
            var wrong = right4
            wrong[offset] ^= 0x10
            #expect(parse(wrong, .ipv4) == nil, "byte \(offset)")
        }
        for count in 0..<right4.count { #expect(parse(Array(right4.prefix(count)), .ipv4) == nil, "\(count)") }
        for count in 0..<right6.count { #expect(parse(Array(right6.prefix(count)), .ipv6) == nil, "\(count)") }
        #expect(parse(right4, .ipv6) == nil && parse(right6, .ipv4) == nil)
        let portless = Endpoint(address: peer4.address, port: 0)
        #expect(parse(ICMPMessages.ipv4(from: relay4, to: portless), .ipv4) == nil)
        #expect(parse(ICMPMessages.ipv4(from: portless, to: peer4), .ipv4) == nil)
    }

    @Test("no bytes make it trap")
    func hostile() throws {
        try checkProperty("ICMP errors of any bytes", iterations: 20_000) { random in
            let isIPv4 = random.oneIn(2)
            var bytes =
                isIPv4
                ? ICMPMessages.ipv4(from: relay4, to: peer4, innerOptions: Int.random(in: 0...10, using: &random))
                : ICMPMessages.ipv6(from: relay6, to: peer6)
            bytes = random.oneIn(4) ? random.bytes(Int.random(in: 0...100, using: &random)) : random.mutated(bytes)
            for family in [IPAddress.Family.ipv4, .ipv6] {
                guard let error = parse(bytes, family) else { continue }
                try claim(error.source.address.family == family && error.peer.address.family == family, "\(bytes)")
            }
        }
    }
}
