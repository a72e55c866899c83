import NetPrimitives

/// USERNAME, REALM, NONCE and SOFTWARE: UTF-8 text (RFC 8489 §14.3, §14.9, §14.10, §14.14).
extension MessageView {
    /// The text of the first attribute of `type`; nil if there is none, if it is no UTF-8, or longer than the 763 bytes
    /// that the longest of them may have.
    public func text(_ type: AttributeType) -> String? {
        guard let attribute = first(type), attribute.length <= Self.maximumTextLength else { return nil }
        return utf8Text(value(of: attribute))
    }

    private static let maximumTextLength = 763
}

extension MessageBuilder {
    /// Appends USERNAME.
    public mutating func appendUsername(_ username: String) { append(.username, text: username) }

    /// Appends REALM.
    public mutating func appendRealm(_ realm: String) { append(.realm, text: realm) }

    /// Appends NONCE.
    public mutating func appendNonce(_ nonce: String) { append(.nonce, text: nonce) }

    /// Appends SOFTWARE.
    public mutating func appendSoftware(_ software: String) { append(.software, text: software) }
}

/// A copy of `bytes` as text; nil if they are no well-formed UTF-8.
func utf8Text(_ bytes: RawSpan) -> String? { String(validating: bytes.copied(), as: UTF8.self) }
