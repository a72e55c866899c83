import NetPrimitives

/// The CRC of ITU V.42, as FINGERPRINT uses it (RFC 8489 §14.7).
struct CRC32 {
    /// Four tables of 256: what a byte becomes that has none, one, two or three bytes behind it in its word.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = []
        for index: UInt32 in 0..<256 {
            var remainder = index
            for _ in 0..<8 {
                remainder = remainder & 1 == 1 ? (remainder >> 1) ^ 0xEDB8_8320 : remainder >> 1
            }
            tables.append(remainder)
        }
        for index in 256..<1024 {
            let shorter = tables[index - 256]
            tables.append(shorter >> 8 ^ tables[Int(shorter & 0xFF)])
        }
        return tables
    }()

    private var state: UInt32 = .max

    mutating func update(_ bytes: RawSpan) {
        let tables = Self.tables
        var offset = 0
        while let word = bytes.uint32(at: offset) {
            state ^= word.byteSwapped
            let upper = tables[Int(state >> 24)] ^ tables[256 + Int(state >> 16 & 0xFF)]
            let lower = tables[512 + Int(state >> 8 & 0xFF)] ^ tables[768 + Int(state & 0xFF)]
            state = upper ^ lower
            offset &+= 4
        }
        while let byte = bytes.uint8(at: offset) {
            state = state >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: state) ^ byte)]
            offset &+= 1
        }
    }

    var value: UInt32 { ~state }
}
