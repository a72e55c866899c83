/// A member of a JSON object: its name, unescaped, and its value.
public struct JSONMember: Hashable, Sendable {
    /// The name with escapes resolved.
    public let name: String
    /// The value as it was written.
    public let value: JSONText
}

extension JSONText {
    /// The elements of an array in order; nil if this is none, or one of more than `limit` elements.
    public func elements(limit: Int = 1_024) -> [JSONText]? {
        var scanner = JSONScanner(text.utf8.span)
        guard scanner.take(UInt8(ascii: "[")) else { return nil }
        scanner.skipWhiteSpace()
        var elements: [JSONText] = []
        if scanner.take(UInt8(ascii: "]")) { return elements }
        repeat {
            guard elements.count < limit, let value = nextValue(&scanner) else { return nil }
            elements.append(value)
            scanner.skipWhiteSpace()
        } while scanner.take(UInt8(ascii: ","))
        return elements
    }

    /// The members of an object in the order they were written; nil if this is none, or one of more than `limit`, or if
    /// a name has no `stringValue`.
    public func members(limit: Int = 1_024) -> [JSONMember]? {
        var scanner = JSONScanner(text.utf8.span)
        guard scanner.take(UInt8(ascii: "{")) else { return nil }
        scanner.skipWhiteSpace()
        var members: [JSONMember] = []
        if scanner.take(UInt8(ascii: "}")) { return members }
        repeat {
            scanner.skipWhiteSpace()
            guard members.count < limit, let name = nextValue(&scanner)?.stringValue else { return nil }
            scanner.skipWhiteSpace()
            guard scanner.take(UInt8(ascii: ":")), let value = nextValue(&scanner) else { return nil }
            members.append(JSONMember(name: name, value: value))
            scanner.skipWhiteSpace()
        } while scanner.take(UInt8(ascii: ","))
        return members
    }

    /// The value of a member of an object; as in JavaScript the last one, if the name occurs twice. Reads the whole
    /// object, so read `members` once instead when several are wanted.
    public subscript(name: String) -> JSONText? {
        members()?.last { $0.name == name }?.value
    }

    /// The characters of a string with escapes resolved; nil for any other kind, and for a string with a lone surrogate,
    /// which stands for no characters.
    public var stringValue: String? {
        guard kind == .string else { return nil }
        let inner = 1..<(text.utf8.count - 1)
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return text.slice(inner) }
        return JSONUnescaping.text(of: text.utf8.span, in: inner)
    }

    /// The value of a number written as an integer; nil for any other kind, and for one that does not fit.
    public var integerValue: Int? {
        kind == .number ? Int(text) : nil
    }

    /// The value of a number; nil for any other kind.
    public var doubleValue: Double? {
        kind == .number ? Double(text) : nil
    }

    /// True or false; nil for any other kind.
    public var booleanValue: Bool? {
        switch text {
        case "true": true
        case "false": false
        default: nil
        }
    }

    /// Whether this is `null`.
    public var isNull: Bool { text == "null" }

    /// The value that begins at the scanner, after white space. A value inside a well-formed text is well-formed.
    private func nextValue(_ scanner: inout JSONScanner) -> JSONText? {
        scanner.skipWhiteSpace()
        let start = scanner.offset
        do {
            try scanner.skipValue()
        } catch {
            return nil
        }
        return JSONText(wellFormed: text.slice(start..<scanner.offset))
    }
}
