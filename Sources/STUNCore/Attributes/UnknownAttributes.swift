import NetPrimitives

extension MessageView {
    /// The types listed in UNKNOWN-ATTRIBUTES (RFC 8489 §14.13); empty without the attribute.
    public var unknownAttributes: [AttributeType] {
        guard let attribute = first(.unknownAttributes) else { return [] }
        let value = value(of: attribute)
        var types: [AttributeType] = []
        for offset in stride(from: 0, to: attribute.length, by: 2) {
            guard let type = value.uint16(at: offset) else { break }
            types.append(AttributeType(rawValue: type))
        }
        return types
    }
}

extension MessageBuilder {
    /// Appends UNKNOWN-ATTRIBUTES.
    public mutating func appendUnknownAttributes(_ types: [AttributeType]) {
        appendHeader(.unknownAttributes, length: types.count * 2)
        for type in types { writer.append(type.rawValue) }
        pad(types.count * 2)
    }
}
