/// Writes MessagePack the way `notepack.io` does, which is what the servers of Node.js put on Redis: always the shortest form, whole
/// numbers as integers, all others as 64-bit floats.
struct MessagePackWriter {
    private(set) var bytes: [UInt8] = []

    mutating func appendArray(count: Int) { appendHead(count, fixed: 0x90, limit: 16, wide: 0xDC) }

    mutating func appendMap(count: Int) { appendHead(count, fixed: 0x80, limit: 16, wide: 0xDE) }

    mutating func append(_ text: String) {
        let count = text.utf8.count
        if count < 32 {
            bytes.append(0xA0 | UInt8(truncatingIfNeeded: count))
        } else if count <= UInt8.max {
            bytes += [0xD9, UInt8(truncatingIfNeeded: count)]
        } else {
            appendWide(count, 0xDA)
        }
        bytes += text.utf8
    }

    mutating func append(_ texts: [String]) {
        appendArray(count: texts.count)
        for text in texts { append(text) }
    }

    /// A JSON value; what is nested deeper than a text of ours can be does not occur.
    mutating func append(_ json: JSONText) {
        switch json.kind {
        case .null: bytes.append(0xC0)
        case .boolean: bytes.append(json.booleanValue == true ? 0xC3 : 0xC2)
        case .number: append(number: json)
        // A lone surrogate stands for no character, and has no UTF-8.
        case .string: append(json.stringValue ?? "\u{FFFD}")
        case .array:
            let elements = json.elements(limit: .max) ?? []
            appendArray(count: elements.count)
            for element in elements { append(element) }
        case .object:
            let members = json.members(limit: .max) ?? []
            appendMap(count: members.count)
            for member in members {
                append(member.name)
                append(member.value)
            }
        }
    }

    private mutating func append(number json: JSONText) {
        // As JavaScript reads it: every number is a double.
        let value = json.doubleValue ?? 0
        if let whole = Int64(exactly: value) { return append(whole) }
        if let whole = UInt64(exactly: value) { return append(0xCF, whole) }
        append(0xCB, value.bitPattern)
    }

    mutating func append(_ whole: Int64) {
        switch whole {
        case 0...0x7F, -0x20 ... -1: bytes.append(UInt8(truncatingIfNeeded: whole))
        case 0...0xFF: append(0xCC, UInt8(truncatingIfNeeded: whole))
        case 0...0xFFFF: append(0xCD, UInt16(truncatingIfNeeded: whole))
        case 0...0xFFFF_FFFF: append(0xCE, UInt32(truncatingIfNeeded: whole))
        case 0...: append(0xCF, UInt64(truncatingIfNeeded: whole))
        case (-0x80)...: append(0xD0, UInt8(truncatingIfNeeded: whole))
        case (-0x8000)...: append(0xD1, UInt16(truncatingIfNeeded: whole))
        case (-0x8000_0000)...: append(0xD2, UInt32(truncatingIfNeeded: whole))
        default: append(0xD3, UInt64(truncatingIfNeeded: whole))
        }
    }

    private mutating func appendHead(_ count: Int, fixed: UInt8, limit: Int, wide: UInt8) {
        if count < limit { return bytes.append(fixed | UInt8(truncatingIfNeeded: count)) }
        appendWide(count, wide)
    }

    private mutating func appendWide(_ count: Int, _ wide: UInt8) {
        if count <= UInt16.max {
            append(wide, UInt16(truncatingIfNeeded: count))
        } else {
            append(wide + 1, UInt32(truncatingIfNeeded: count))
        }
    }

    private mutating func append(_ head: UInt8, _ number: some FixedWidthInteger & UnsignedInteger) {
        bytes.append(head)
        var shift = number.bitWidth
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}
