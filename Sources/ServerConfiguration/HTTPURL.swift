/// URLs of other servers, as settings give them.
enum HTTPURL {
    static let expected = "an http:// or https:// URL without user and password"

    /// The URL, if it is one that requests may go to: no credentials, which would be logged, and no fragment.
    static func parse(_ text: String) -> String? {
        guard let authority = authority(of: text) else { return nil }
        let isPlain = text.allSatisfy { $0.isASCII && !$0.isWhitespace && $0 != "#" }
        return isPlain && !authority.isEmpty && !authority.contains("@") ? text : nil
    }

    /// The host of a URL, without its port.
    static func host(of url: String) -> String {
        let authority = authority(of: url) ?? ""
        if authority.hasPrefix("[") { return authority.prefix { $0 != "]" } + "]" }
        return String(authority.prefix { $0 != ":" })
    }

    private static func authority(of text: String) -> Substring? {
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else { return nil }
        return text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }
    }
}
