/// Resolves the escapes of a JSON string (RFC 8259 §7).
enum JSONUnescaping {
    /// The characters of the well-formed string whose bytes between the quotes lie in `range`; nil if a surrogate lacks
    /// its other half.
    static func text(of bytes: Span<UInt8>, in range: Range<Int>) -> String? {
        var output: [UInt8] = []
        output.reserveCapacity(range.count)
        var offset = range.lowerBound
        while offset < range.upperBound {
            let byte = bytes[offset]
            offset += 1
            guard byte == UInt8(ascii: "\\"), offset < range.upperBound else {
                output.append(byte)
                continue
            }
            let kind = bytes[offset]
            offset += 1
            if kind == UInt8(ascii: "u") {
                let codePoint = codePoint(bytes, at: &offset, end: range.upperBound)
                guard let scalar = Unicode.Scalar(codePoint), let encoded = UTF8.encode(scalar) else { return nil }
                output.append(contentsOf: encoded)
            } else {
                output.append(character(named: kind))
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func character(named kind: UInt8) -> UInt8 {
        switch kind {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: kind
        }
    }

    /// Reads the digits after `\u`, and the second half of a surrogate pair if one follows.
    private static func codePoint(_ bytes: Span<UInt8>, at offset: inout Int, end: Int) -> UInt32 {
        let first = codeUnit(bytes, at: &offset, end: end)
        guard 0xD800..<0xDC00 ~= first, offset &+ 6 <= end, bytes[offset] == UInt8(ascii: "\\"),
            bytes[offset + 1] == UInt8(ascii: "u")
        else { return first }
        var next = offset + 2
        let second = codeUnit(bytes, at: &next, end: end)
        guard 0xDC00..<0xE000 ~= second else { return first }
        offset = next
        return 0x10000 + ((first - 0xD800) << 10 | (second - 0xDC00))
    }

    private static func codeUnit(_ bytes: Span<UInt8>, at offset: inout Int, end: Int) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 where offset < end {
            value = value << 4 | UInt32(hexadecimalValue(of: bytes[offset]) ?? 0)
            offset += 1
        }
        return value
    }
}
