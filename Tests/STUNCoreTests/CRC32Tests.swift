import NetPrimitives
import TestSupport
import Testing

@testable import STUNCore

@Suite("CRC-32")
struct CRC32Tests {
    private func crc(_ bytes: [UInt8]) -> UInt32 {
        var crc = CRC32()
        crc.update(bytes.span.rawBytes)
        return crc.value
    }

    /// Bit by bit, as the polynomial says.
    private func slowly(_ bytes: [UInt8]) -> UInt32 {
        var state = UInt32.max
        for byte in bytes {
            state ^= UInt32(byte)
            for _ in 0..<8 { state = state & 1 == 1 ? state >> 1 ^ 0xEDB8_8320 : state >> 1 }
        }
        return ~state
    }

    @Test("of the digits one to nine is the published check value")
    func checkValue() {
        #expect(crc(Array("123456789".utf8)) == 0xCBF4_3926)
        #expect(crc([]) == 0)
    }

    @Test("by words is the same as bit by bit, for every length and place")
    func words() throws {
        try checkProperty("CRC-32 by words", iterations: 300) { random in
            let bytes = random.bytes(Int.random(in: 0...70, using: &random))
            try claim(crc(bytes) == slowly(bytes), "\(bytes)")
        }
    }
}
