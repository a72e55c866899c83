import NetPrimitives

/// The CRC of ITU V.42, as FINGERPRINT uses it (RFC 8489 §14.7).
struct CRC32 {
    private var state: UInt32 = .max

    mutating func update(_ bytes: RawSpan) {
        var offset = 0
        while let word = bytes.uint32(at: offset) {
            state ^= word.byteSwapped
            let upper = Self.tables[Int(state >> 24)] ^ Self.tables[256 + Int(state >> 16 & 0xFF)]
            let lower = Self.tables[512 + Int(state >> 8 & 0xFF)] ^ Self.tables[768 + Int(state & 0xFF)]
            state = upper ^ lower
            offset &+= 4
        }
        while let byte = bytes.uint8(at: offset) {
            state = state >> 8 ^ Self.tables[Int(UInt8(truncatingIfNeeded: state) ^ byte)]
            offset &+= 1
        }
    }

    var value: UInt32 { ~state }
}
