import NetPrimitives
import STUNCore
import Testing

@Suite("ChannelData")
struct ChannelDataTests {
    @Test(
        "reads the header and tolerates padding",
        arguments: [
            ([0x40, 0x00, 0, 0], 0..<0), ([0x40, 0x01, 0, 2, 9, 9], 0..<2), ([0x4F, 0xFF, 0, 1, 9, 0, 0, 0], 0..<1),
        ] as [([UInt8], Range<Int>)]
    )
    func wellFormed(bytes: [UInt8], payload: Range<Int>) throws {
        let parsed = ChannelData(datagram: bytes.span.rawBytes)
        let header = try #require(parsed)
        #expect(header.payload == payload.lowerBound + 4..<payload.upperBound + 4)
        #expect(header.headerBits == bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
    }

    @Test(
        "refuses numbers out of range and data that is not there",
        arguments: [
            [], [0x40], [0x40, 0, 0], [0x3F, 0xFF, 0, 0], [0x50, 0x00, 0, 0], [0x40, 0, 0, 1],
            [0x40, 0, 0xFF, 0xFF, 1],
        ] as [[UInt8]]
    )
    func malformed(bytes: [UInt8]) {
        let parsed = ChannelData(datagram: bytes.span.rawBytes)
        #expect(parsed == nil)
    }
}
