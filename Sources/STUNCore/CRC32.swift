import NetPrimitives

/// The CRC of ITU V.42, as FINGERPRINT uses it (RFC 8489 §14.7).
struct CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { remainder, _ in
            remainder & 1 == 1 ? remainder >> 1 ^ 0xEDB8_8320 : remainder >> 1
        }
    }

    private var state: UInt32 = .max

    mutating func update(_ byte: UInt8) {
        state = state >> 8 ^ Self.table[Int(UInt8(truncatingIfNeeded: state) ^ byte)]
    }

    mutating func update(_ bytes: RawSpan) {
        for offset in 0..<bytes.byteCount { update(bytes.uint8(at: offset) ?? 0) }
    }

    var value: UInt32 { ~state }
}
