import NetPrimitives
import STUNCore
import Testing

@testable import TURNRelay

@Suite("Framing")
struct FramingTests {
    private static let transaction = TransactionID(high: 0x0102_0304, low: 0x0506_0708_090A_0B0C)

    private func header(_ framing: Framing, payload: Int) -> [UInt8] {
        var scratch = [UInt8](repeating: 0xAA, count: Framing.longestHeaderByteCount)
        var span = scratch.mutableSpan
        // SAFETY: the elements are plain bytes.
        var bytes = unsafe span.mutableBytes
        let count = framing.writeHeader(payloadByteCount: payload, transaction: Self.transaction, into: &bytes)
        #expect(count == framing.headerByteCount)
        return Array(scratch[..<count])
    }

    @Test("raw adds nothing")
    func raw() {
        #expect(header(.raw, payload: 9).isEmpty)
        #expect(Framing.raw.paddingByteCount(payloadByteCount: 9) == 0)
    }

    @Test("ChannelData is number and length, without padding")
    func channelData() {
        #expect(header(.channelData(0x4001), payload: 1201) == [0x40, 0x01, 0x04, 0xB1])
        #expect(header(.channelData(0x4FFF), payload: 0) == [0x4F, 0xFF, 0, 0])
        #expect(Framing.channelData(0x4000).paddingByteCount(payloadByteCount: 1201) == 0)
    }

    @Test("a Data indication names an IPv4 peer and pads its data", arguments: 0...9)
    func dataIndicationIPv4(payload: Int) throws {
        let framing = Framing.dataIndication(peer: try Endpoint(parsing: "192.0.2.9:5000"))
        let bytes = header(framing, payload: payload)
        let padding = framing.paddingByteCount(payloadByteCount: payload)
        #expect((payload + padding) % 4 == 0 && padding < 4)
        let messageLength = UInt8(16 + payload + padding)
        #expect(Array(bytes[..<4]) == [0x00, 0x17, 0, messageLength])
        #expect(Array(bytes[4..<8]) == [0x21, 0x12, 0xA4, 0x42])
        #expect(Array(bytes[20..<28]) == [0x00, 0x12, 0, 8, 0, 1, 0x32, 0x9A])
        #expect(Array(bytes[28..<32]) == [0xE1, 0x12, 0xA6, 0x4B])
        #expect(Array(bytes[32..<36]) == [0x00, 0x13, 0, UInt8(payload)])
    }

    @Test("a Data indication names an IPv6 peer, masked with the transaction ID")
    func dataIndicationIPv6() throws {
        let peer = try Endpoint(parsing: "[2001:db8::7]:1025")
        let bytes = header(.dataIndication(peer: peer), payload: 4)
        #expect(bytes.count == 48)
        #expect(Array(bytes[..<4]) == [0x00, 0x17, 0, 32])
        #expect(Array(bytes[20..<28]) == [0x00, 0x12, 0, 20, 0, 2, 0x25, 0x13])
        let unmasked = zip(bytes[28..<44], bytes[4..<20]).map { $0 ^ $1 }
        #expect(unmasked == [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7])
        #expect(Array(bytes[44...]) == [0x00, 0x13, 0, 4])
    }

    @Test("a Data indication has the transaction ID that it is given, and no other framing asks for one")
    func transactionIDs() throws {
        for peer in ["192.0.2.9:5000", "[2001:db8::7]:1025"] {
            let framing = Framing.dataIndication(peer: try Endpoint(parsing: peer))
            #expect(framing.isIndication)
            #expect(Array(header(framing, payload: 0)[8..<20]) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        }
        #expect(!Framing.raw.isIndication && !Framing.channelData(0x4000).isIndication)
    }
}
