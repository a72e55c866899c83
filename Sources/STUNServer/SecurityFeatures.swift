import NetPrimitives

/// What a server's nonce says that the server can do (RFC 8489 §9.2.1, §18.1), so that nobody on the path can take it
/// out of an answer unnoticed.
///
/// Bits are numbered from the least significant one, as erratum 6290 says and the sample of appendix B.1 shows.
public struct SecurityFeatures: OptionSet, Hashable, Sendable, BitwiseCopyable {
    /// The 24 bits.
    public let rawValue: UInt32

    /// The features of these bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue & 0xFF_FFFF }

    /// PASSWORD-ALGORITHMS is offered.
    public static let passwordAlgorithms = SecurityFeatures(rawValue: 1 << 0)
    /// USERHASH is understood; a client that knows it has to use it.
    public static let usernameAnonymity = SecurityFeatures(rawValue: 1 << 1)

    private static let prefix = "obMatJos2"
    /// Length of the nonce cookie: the prefix and four base64 characters.
    static let cookieLength = 13

    /// The nonce cookie that announces these features.
    var cookie: String {
        let bytes = [16, 8, 0].map { UInt8(truncatingIfNeeded: rawValue >> $0) }
        return Self.prefix + Base64.standard.encode(bytes)
    }

    /// The features that `nonce` announces, whoever made it; nil if it does not begin with a nonce cookie.
    public init?(nonce: RawSpan) {
        let prefix = Self.prefix.utf8
        guard let start = nonce.slice(at: 0, length: prefix.count), start.copied().elementsEqual(prefix),
            let characters = nonce.slice(at: prefix.count, length: Self.cookieLength - prefix.count),
            let bytes = Base64.standard.decode(characters)
        else { return nil }
        self.init(rawValue: bytes.reduce(0) { $0 << 8 | UInt32($1) })
    }
}
