import NetPrimitives

/// Walks the attributes of a message in their order, padding included, and stops at the first that does not fit.
@frozen
public struct AttributeReader: ~Escapable {
    @usableFromInline let bytes: RawSpan
    @usableFromInline let limit: Int
    /// Where the next attribute begins.
    public private(set) var offset: Int

    /// A walk over the attributes between `offset` and `limit` of `bytes`.
    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, from offset: Int, upTo limit: Int) {
        self.bytes = bytes
        self.offset = offset
        self.limit = min(limit, bytes.byteCount)
    }

    /// The next attribute; nil at the end and at bytes that are no whole attribute. Only `offset` tells the two apart.
    public mutating func next() -> Attribute? {
        guard limit &- offset >= 4, let type = bytes.uint16(at: offset), let length = bytes.uint16(at: offset &+ 2)
        else {
            return nil
        }
        let attribute = Attribute(
            type: AttributeType(rawValue: type),
            valueOffset: offset &+ 4,
            length: Int(length)
        )
        guard attribute.end <= limit else { return nil }
        offset = attribute.end
        return attribute
    }
}
