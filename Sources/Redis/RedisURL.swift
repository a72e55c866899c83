/// Where Redis listens, and how to come in: `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`.
public struct RedisURL: Hashable, Sendable {
    /// A name or an address.
    public let host: String
    /// 6379 unless said otherwise.
    public let port: UInt16
    /// Redis' access control knows users from version 6 on.
    public let user: String?
    /// What `AUTH` wants.
    public let password: String?
    /// The number of the database that keys go to; channels know none.
    public let database: UInt16

    /// Reads a URL; nil if it is none of this form.
    public init?(_ text: String) {
        let scheme = "redis://"
        guard text.hasPrefix(scheme) else { return nil }
        var rest = text.dropFirst(scheme.count)
        var user: String?
        var password: String?
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = Self.decoded(parts[0]), let secret = Self.decoded(parts[1]) else {
                return nil
            }
            user = name.isEmpty ? nil : name
            password = secret
            rest = rest[rest.index(after: at)...]
        }
        var database: UInt16 = 0
        if let slash = rest.firstIndex(of: "/") {
            let number = rest[rest.index(after: slash)...]
            if !number.isEmpty {
                guard let value = UInt16(number) else { return nil }
                database = value
            }
            rest = rest[..<slash]
        }
        var port: UInt16 = 6379
        var host = rest
        if rest.hasPrefix("[") {
            guard let bracket = rest.firstIndex(of: "]") else { return nil }
            host = rest[rest.index(after: rest.startIndex)..<bracket]
            rest = rest[rest.index(after: bracket)...]
            if !rest.isEmpty {
                guard rest.hasPrefix(":"), let value = UInt16(rest.dropFirst()) else { return nil }
                port = value
            }
        } else if let colon = rest.firstIndex(of: ":") {
            guard let value = UInt16(rest[rest.index(after: colon)...]) else { return nil }
            port = value
            host = rest[..<colon]
        }
        guard !host.isEmpty, port > 0, host.allSatisfy({ $0.isASCII && !$0.isWhitespace }) else { return nil }
        self.host = String(host)
        self.port = port
        self.user = user
        self.password = password
        self.database = database
    }

    /// The text that a percent-encoded one stands for.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
