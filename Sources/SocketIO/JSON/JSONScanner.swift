/// Walks over JSON (RFC 8259) without building anything: it tells where values begin and end.
///
/// The nesting is kept in the bits of one integer instead of the call stack, so that no input can exhaust the stack.
struct JSONScanner: ~Escapable {
    private let bytes: Span<UInt8>
    private let maximumDepth: Int
    /// The next byte to be read.
    private(set) var offset = 0

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, maximumDepth: Int = 64) {
        self.bytes = bytes
        self.maximumDepth = min(maximumDepth, 64)
    }

    var isAtEnd: Bool { offset >= bytes.count }

    func peek() -> UInt8? {
        offset < bytes.count ? bytes[offset] : nil
    }

    /// Steps over `byte` if it comes next.
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        offset += 1
        return true
    }

    mutating func expect(_ byte: UInt8) throws(JSONFailure) {
        guard take(byte) else { throw .malformed(at: offset) }
    }

    mutating func skipWhiteSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            offset += 1
        }
    }

    /// Steps over one value of any kind and whatever it holds.
    mutating func skipValue() throws(JSONFailure) {
        var nesting = JSONNesting()
        while true {
            try skipOpening(&nesting)
            if try skipClosing(&nesting) { return }
        }
    }

    /// Steps over a scalar, an empty container, or the beginning of a container up to its first value.
    private mutating func skipOpening(_ nesting: inout JSONNesting) throws(JSONFailure) {
        while true {
            skipWhiteSpace()
            guard let byte = peek() else { throw .malformed(at: offset) }
            switch byte {
            case UInt8(ascii: "{"):
                guard nesting.depth < maximumDepth else { throw .tooDeep }
                offset += 1
                skipWhiteSpace()
                if take(UInt8(ascii: "}")) { return }
                nesting.push(isObject: true)
                try skipKey()
            case UInt8(ascii: "["):
                guard nesting.depth < maximumDepth else { throw .tooDeep }
                offset += 1
                skipWhiteSpace()
                if take(UInt8(ascii: "]")) { return }
                nesting.push(isObject: false)
            default:
                try skipScalar(byte)
                return
            }
        }
    }

    /// After a value: steps over closing brackets up to the next value; true when the outermost value is over.
    private mutating func skipClosing(_ nesting: inout JSONNesting) throws(JSONFailure) -> Bool {
        while nesting.depth > 0 {
            skipWhiteSpace()
            if take(UInt8(ascii: ",")) {
                if nesting.isObject {
                    skipWhiteSpace()
                    try skipKey()
                }
                return false
            }
            try expect(nesting.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
            nesting.pop()
        }
        return true
    }

    /// Steps over a member's name and its colon.
    private mutating func skipKey() throws(JSONFailure) {
        try skipString()
        skipWhiteSpace()
        try expect(UInt8(ascii: ":"))
    }

    private mutating func skipScalar(_ first: UInt8) throws(JSONFailure) {
        switch first {
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "t"): try skipLiteral("true")
        case UInt8(ascii: "f"): try skipLiteral("false")
        case UInt8(ascii: "n"): try skipLiteral("null")
        default: try skipNumber()
        }
    }

    private mutating func skipLiteral(_ literal: StaticString) throws(JSONFailure) {
        for scalar in literal.description.utf8 {
            try expect(scalar)
        }
    }

    /// Steps over a string with its quotes; true if it holds no escape, so that its text is its bytes.
    @discardableResult
    mutating func skipString() throws(JSONFailure) -> Bool {
        try expect(UInt8(ascii: "\""))
        var isPlain = true
        while let byte = peek() {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                return isPlain
            case UInt8(ascii: "\\"):
                isPlain = false
                try skipEscape()
            case 0..<0x20:
                throw .malformed(at: offset - 1)
            default:
                continue
            }
        }
        throw .malformed(at: offset)
    }

    private mutating func skipEscape() throws(JSONFailure) {
        guard let kind = peek() else { throw .malformed(at: offset) }
        offset += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return
        case UInt8(ascii: "u"):
            for _ in 0..<4 {
                guard let digit = peek(), hexadecimalValue(of: digit) != nil else { throw .malformed(at: offset) }
                offset += 1
            }
        default:
            throw .malformed(at: offset - 1)
        }
    }

    private mutating func skipNumber() throws(JSONFailure) {
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) {
            try skipDigits()
        }
        if take(UInt8(ascii: ".")) {
            try skipDigits()
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) {
                _ = take(UInt8(ascii: "-"))
            }
            try skipDigits()
        }
    }

    private mutating func skipDigits() throws(JSONFailure) {
        let start = offset
        while let byte = peek(), UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte {
            offset += 1
        }
        guard offset > start else { throw .malformed(at: offset) }
    }
}

/// Which of the containers that a scanner is inside of are objects: one bit a level, the innermost lowest.
private struct JSONNesting {
    private(set) var depth = 0
    private var kinds: UInt64 = 0

    var isObject: Bool { kinds & 1 == 1 }

    mutating func push(isObject: Bool) {
        kinds = kinds << 1 | (isObject ? 1 : 0)
        depth += 1
    }

    mutating func pop() {
        kinds >>= 1
        depth -= 1
    }
}

/// The value of an ASCII hexadecimal digit, nil for any other byte.
func hexadecimalValue(of byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
