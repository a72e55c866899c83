import NetPrimitives

/// The CRC of ITU V.42, as FINGERPRINT uses it (RFC 8489 §14.7).
struct CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { remainder, _ in
            remainder & 1 == 1 ? remainder >> 1 ^ 0xEDB8_8320 : remainder >> 1
        }
    }

    private var state: UInt32 = .max

    mutating func update(_ bytes: RawSpan) {
        let table = Self.table
        for offset in 0..<bytes.byteCount {
            let byte = bytes.uint8(at: offset) ?? 0
            state = state >> 8 ^ table[Int(UInt8(truncatingIfNeeded: state) ^ byte)]
        }
    }

    var value: UInt32 { ~state }
}
