/// Where one attribute stands in a message: offsets only, so that it may be kept while the bytes stay borrowed.
@frozen
public struct Attribute: Hashable, Sendable, BitwiseCopyable {
    /// Its type.
    public let type: AttributeType
    /// Where its value begins, counted from the message's first byte.
    public let valueOffset: Int
    /// The value's length without padding.
    public let length: Int

    @inlinable
    init(type: AttributeType, valueOffset: Int, length: Int) {
        self.type = type
        self.valueOffset = valueOffset
        self.length = length
    }

    /// Where the attribute's own header begins.
    @inlinable
    public var offset: Int { valueOffset &- 4 }

    /// Where the next attribute begins: behind the padding.
    @inlinable
    public var end: Int { valueOffset &+ (length &+ 3) & ~3 }
}
