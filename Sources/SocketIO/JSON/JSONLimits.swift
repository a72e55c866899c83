/// What a JSON text may be at most before it is refused.
public struct JSONLimits: Hashable, Sendable {
    /// Arrays and objects inside one another, the outermost counted; 64 at most, whatever is asked.
    public let maximumDepth: Int
    /// UTF-8 bytes, white space included.
    public let maximumBytes: Int

    /// Limits of `maximumDepth` containers inside one another and `maximumBytes` of UTF-8.
    public init(maximumDepth: Int = 64, maximumBytes: Int = 1_000_000) {
        self.maximumDepth = min(max(maximumDepth, 0), 64)
        self.maximumBytes = max(maximumBytes, 0)
    }

    /// 64 levels and 1,000,000 bytes.
    public static let standard = JSONLimits()
}

/// Why bytes are no JSON text, or none that we take.
public enum JSONFailure: Error, Hashable, Sendable {
    /// The bytes are not UTF-8.
    case notUTF8
    /// More bytes than `JSONLimits.maximumBytes`.
    case tooLarge
    /// More containers inside one another than `JSONLimits.maximumDepth`.
    case tooDeep
    /// The grammar of RFC 8259 is broken at this byte offset.
    case malformed(at: Int)
}
