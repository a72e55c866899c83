/// The two alphabets of RFC 4648, encoding only, but for the one byte that a nonce begins with.
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

    func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
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
        return String(decoding: text, as: UTF8.self)
    }

    /// The byte that the first two characters of a text encode; nil if one is not in the alphabet.
    func decodeByte(_ first: UInt8, _ second: UInt8) -> UInt8? {
        guard let high = alphabet.firstIndex(of: first), let low = alphabet.firstIndex(of: second) else { return nil }
        return UInt8(truncatingIfNeeded: high << 2 | low >> 4)
    }
}
