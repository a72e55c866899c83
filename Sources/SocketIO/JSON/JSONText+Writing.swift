extension JSONText {
    /// `null`.
    public static let null = JSONText(wellFormed: "null")

    /// `true` or `false`.
    public static func boolean(_ value: Bool) -> JSONText {
        JSONText(wellFormed: value ? "true" : "false")
    }

    /// An integer in decimal digits.
    public static func integer(_ value: some FixedWidthInteger) -> JSONText {
        JSONText(wellFormed: String(value))
    }

    /// A number; whole ones are written as integers, and what JSON cannot say (infinite, not a number) is `null`.
    public static func number(_ value: Double) -> JSONText {
        guard value.isFinite else { return .null }
        if let whole = Int64(exactly: value), whole.magnitude <= 1 << 53 { return .integer(whole) }
        return JSONText(wellFormed: "\(value)")
    }

    /// A string, with escapes only where the grammar asks for them.
    public static func string(_ value: String) -> JSONText {
        var text = ""
        text.reserveCapacity(value.utf8.count + 2)
        text.appendJSONString(value)
        return JSONText(wellFormed: text)
    }

    /// An array of the given values.
    public static func array(_ elements: [JSONText]) -> JSONText {
        var text = ""
        text.reserveCapacity(elements.reduce(2) { $0 + $1.byteCount + 1 })
        text += "["
        for element in elements {
            if text.utf8.count > 1 { text += "," }
            text += element.text
        }
        text += "]"
        return JSONText(wellFormed: text)
    }

    /// An object of the given members in their order; a member without a value is left out.
    public static func object(_ members: [(String, JSONText?)]) -> JSONText {
        var text = ""
        // A name with escapes may be longer; it has room to grow then.
        text.reserveCapacity(members.reduce(2) { $0 + $1.0.utf8.count + ($1.1?.byteCount ?? 0) + 4 })
        text += "{"
        for (name, value) in members {
            guard let value else { continue }
            if text.utf8.count > 1 { text += "," }
            text.appendJSONString(name)
            text += ":"
            text += value.text
        }
        text += "}"
        return JSONText(wellFormed: text)
    }
}

extension JSONText: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A JSON string with these characters: the literal is the string's content, not JSON.
    public init(stringLiteral value: String) { self = .string(value) }

    /// A JSON number.
    public init(integerLiteral value: Int) { self = .integer(value) }

    /// `true` or `false`.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }

    /// A JSON array.
    public init(arrayLiteral elements: JSONText...) { self = .array(elements) }

    /// A JSON object with the members in the order written.
    public init(dictionaryLiteral elements: (String, JSONText)...) { self = .object(elements) }
}

extension String {
    /// Appends `value` as a JSON string with its quotes.
    fileprivate mutating func appendJSONString(_ value: String) {
        self += "\""
        if value.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            self += value
        } else {
            for scalar in value.unicodeScalars {
                appendEscaped(scalar)
            }
        }
        self += "\""
    }

    private mutating func appendEscaped(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": self += "\\\""
        case "\\": self += "\\\\"
        case "\u{08}": self += "\\b"
        case "\u{0C}": self += "\\f"
        case "\n": self += "\\n"
        case "\r": self += "\\r"
        case "\t": self += "\\t"
        case "\u{00}"..<"\u{20}":
            let digits = String(scalar.value, radix: 16)
            self += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
        default: unicodeScalars.append(scalar)
        }
    }
}
