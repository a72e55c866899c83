/// TURN servers of others that clients are told of, after our own.
public struct FurtherTURNServers: Hashable, Sendable {
    /// `turn:`, `turns:`, `stun:` or `stuns:` URIs.
    public let uris: [String]
    /// User name and password there; nil if all URIs are STUN's.
    public let username: String?
    /// The password.
    public let credential: String?

    init?(_ reader: SettingReader) throws(ConfigurationFailure) {
        let schemes = ["turn:", "turns:", "stun:", "stuns:"]
        uris = try reader.list(.turnServerURL, "a turn:, turns:, stun: or stuns: URI") { text in
            guard let scheme = schemes.first(where: text.hasPrefix), text.count > scheme.count else { return nil }
            let isPlain = text.allSatisfy { $0.isASCII && !$0.isWhitespace && $0 != "\"" } && !text.contains("://")
            return isPlain ? text : nil
        }
        username = reader.text(.turnUsername)
        credential = reader.text(.turnCredential)
        guard !uris.isEmpty else {
            for key in [ConfigurationKey.turnUsername, .turnCredential] where reader.text(key) != nil {
                throw reader.failure(key, "needs TURN_SERVER_URL")
            }
            return nil
        }
        guard uris.contains(where: { $0.hasPrefix("turn") }) else { return }
        if username == nil { throw reader.failure(.turnServerURL, "a TURN server needs TURN_USERNAME") }
        if credential == nil { throw reader.failure(.turnServerURL, "a TURN server needs TURN_CREDENTIAL") }
    }
}
