import NetPrimitives

/// The two base64 alphabets of RFC 4648.
struct Base64 {
    /// §4, padded.
    static let standard = Base64(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        isPadded: true
    )
    /// §5, without padding.
    static let url = Base64(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        isPadded: false
    )

    private let alphabet: [UInt8]
    private let isPadded: Bool

    private init(_ alphabet: String, isPadded: Bool) {
        self.alphabet = Array(alphabet.utf8)
        self.isPadded = isPadded
    }

    func encode(_ bytes: some Collection<UInt8>) -> String { String(decoding: characters(bytes), as: UTF8.self) }

    /// The same in UTF-8.
    func characters(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 4 / 3 + 4)
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            bitCount += 8
            while bitCount >= 6 {
                bitCount -= 6
                text.append(alphabet[Int(bits >> bitCount & 63)])
            }
            bits &= 0x3F
        }
        if bitCount > 0 { text.append(alphabet[Int(bits << (6 - bitCount) & 63)]) }
        if isPadded { text += [UInt8](repeating: UInt8(ascii: "="), count: -text.count & 3) }
        return text
    }

    /// The bytes that `text` encodes; nil if a character is not in the alphabet. Padding is not known here.
    func decode(_ text: RawSpan) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        for offset in 0..<text.byteCount {
            guard let character = text.uint8(at: offset), let value = alphabet.firstIndex(of: character) else {
                return nil
            }
            bits = (bits << 6 | UInt32(value)) & 0xFFFF
            bitCount += 6
            guard bitCount >= 8 else { continue }
            bitCount -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
        }
        return bytes
    }
}
