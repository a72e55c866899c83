import NetPrimitives

/// A JSON value as the text that came in, or that we wrote: well-formed (RFC 8259), with no white space around it.
///
/// Values are relayed as text instead of being parsed and written again, so that key order, number spelling and escapes
/// stay what the sender chose, and so that a session description costs one copy.
public struct JSONText: Hashable, Sendable, CustomStringConvertible {
    /// The JSON itself.
    public let text: String

    /// What kind of value a text holds.
    public enum Kind: Hashable, Sendable {
        case object, array, string, number, boolean, null
    }

    /// Takes text known to be well-formed and trimmed.
    package init(wellFormed text: String) {
        self.text = text
    }

    /// Checks `text` against the grammar and `limits` and drops the white space around the value.
    public init(validating text: String, limits: JSONLimits = .standard) throws(JSONFailure) {
        guard text.utf8.count <= limits.maximumBytes else { throw .tooLarge }
        let range = try Self.value(in: text.utf8.span, maximumDepth: limits.maximumDepth)
        self.text = range.count == text.utf8.count ? text : text.slice(range)
    }

    /// Checks that `bytes` are UTF-8 and one JSON value within `limits`.
    public init(validating bytes: [UInt8], limits: JSONLimits = .standard) throws(JSONFailure) {
        guard bytes.count <= limits.maximumBytes else { throw .tooLarge }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8 }
        try self.init(validating: text, limits: limits)
    }

    /// The bytes of the one value in `bytes`, without the white space around it.
    private static func value(in bytes: Span<UInt8>, maximumDepth: Int) throws(JSONFailure) -> Range<Int> {
        var scanner = JSONScanner(bytes, maximumDepth: maximumDepth)
        scanner.skipWhiteSpace()
        let start = scanner.offset
        try scanner.skipValue()
        let end = scanner.offset
        scanner.skipWhiteSpace()
        guard scanner.isAtEnd else { throw .malformed(at: scanner.offset) }
        return start..<end
    }

    /// The kind of value, told by the first character.
    public var kind: Kind {
        switch text.utf8.first {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
        case UInt8(ascii: "n"): .null
        default: .number
        }
    }

    /// The JSON itself.
    public var description: String { text }

    /// Whether both are the same text, byte for byte: not merely the same value, and not the same after Unicode
    /// normalization, which `String` would say.
    public static func == (left: JSONText, right: JSONText) -> Bool {
        left.text.isIdentical(to: right.text)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        for byte in text.utf8 {
            hasher.combine(byte)
        }
    }

    /// UTF-8 bytes of the text.
    public var byteCount: Int { text.utf8.count }
}

extension String {
    /// A copy of the characters at these UTF-8 offsets, which must lie on character boundaries within the text.
    func slice(_ range: Range<Int>) -> String {
        let start = utf8.index(startIndex, offsetBy: range.lowerBound)
        let end = utf8.index(start, offsetBy: range.count)
        return String(self[start..<end])
    }
}
