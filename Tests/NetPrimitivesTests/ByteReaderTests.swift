import NetPrimitives
import TestSupport
import Testing

@Suite("Byte reading and writing")
struct ByteReaderTests {
    @Test("reads back in network order what was written")
    func roundTrip() throws {
        var writer = ByteWriter(capacity: 32)
        writer.append(UInt8(1))
        writer.append(UInt16(0x0203))
        writer.append(UInt32(0x0405_0607))
        writer.append(UInt64(0x0809_0A0B_0C0D_0E0F))
        writer.append("hé")
        writer.appendZeros(2)
        let written = writer.bytes.copied()
        #expect(written == Array(1...15) + [0x68, 0xC3, 0xA9, 0, 0])
        var reader = ByteReader(written.span.rawBytes)
        let values = (try reader.readUInt8(), try reader.readUInt16(), try reader.readUInt32())
        #expect(values == (1, 0x0203, 0x0405_0607))
        let long = try reader.readUInt64()
        #expect(long == 0x0809_0A0B_0C0D_0E0F)
        try reader.skip(5)
        let remaining = reader.remaining
        #expect(remaining == 0)
    }

    @Test("a short read throws and moves nothing")
    func shortRead() throws {
        let bytes: [UInt8] = [1, 2, 3]
        var reader = ByteReader(bytes.span.rawBytes)
        do throws(ByteReadFailure) {
            _ = try reader.readUInt32()
            Issue.record("four bytes were read out of three")
        } catch {
            #expect(error == ByteReadFailure(needed: 4, available: 3))
        }
        let offset = reader.offset
        #expect(offset == 0)
    }

    @Test("no offset or length, however absurd, reads outside the span")
    func bounds() throws {
        let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
        let span = bytes.span.rawBytes
        for offset in [Int.min, -1, 0, 1, 8, 9, 10, Int.max - 1, Int.max] {
            let byte = span.uint8(at: offset)
            #expect(byte == (bytes.indices.contains(offset) ? bytes[offset] : nil))
            let (two, four, eight) = (span.uint16(at: offset), span.uint32(at: offset), span.uint64(at: offset))
            #expect((two != nil) == (0...7).contains(offset))
            #expect((four != nil) == (0...5).contains(offset))
            #expect((eight != nil) == (0...1).contains(offset))
            for length in [Int.min, -1, 0, 1, 9, Int.max] {
                let isInside = span.hasBytes(length, at: offset)
                let expected = (0...9).contains(offset) && (0...9).contains(length) && offset + length <= 9
                #expect(isInside == expected)
            }
        }
    }

    @Test("a full writer writes nothing more, not even what would fit, until it is cleared")
    func overflow() {
        var writer = ByteWriter(capacity: 3)
        writer.append(UInt16(7))
        writer.append(UInt16(8))
        writer.append(UInt8(9))
        let (overflowed, count) = (writer.overflowed, writer.count)
        #expect(overflowed && count == 2)
        writer.truncate(to: 0)
        writer.append(UInt16(0xFFFF))
        writer.append(UInt8(1))
        writer.overwrite(0x0A0B, at: 1)
        let (overflowedAgain, written) = (writer.overflowed, writer.bytes.copied())
        #expect(!overflowedAgain)
        #expect(written == [0xFF, 0x0A, 0x0B])
    }
}
