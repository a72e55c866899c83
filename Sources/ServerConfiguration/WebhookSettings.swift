import Foundation

/// Whom notices of calls are posted to.
public struct WebhookSettings: Hashable, Sendable {
    /// `https://…` or `http://…`.
    public let url: String
    /// What the receiver verifies them with: the bytes of the secret, or those that the Base64 behind `whsec_` stands for.
    public let key: [UInt8]

    init?(_ reader: SettingReader) throws(ConfigurationFailure) {
        let url = try reader.value(.callWebhookURL, HTTPURL.expected, HTTPURL.parse)
        let secret = reader.text(.callWebhookSecret)
        guard let url else {
            if secret != nil { throw reader.failure(.callWebhookSecret, "needs CALL_WEBHOOK_URL") }
            return nil
        }
        guard let secret else {
            throw reader.failure(
                .callWebhookURL,
                "needs CALL_WEBHOOK_SECRET, or anybody could send the receiver notices"
            )
        }
        self.url = url
        guard let key = Self.key(secret) else {
            throw reader.failure(.callWebhookSecret, "what follows whsec_ is no Base64")
        }
        self.key = key
    }

    private static func key(_ secret: String) -> [UInt8]? {
        let prefix = "whsec_"
        guard secret.hasPrefix(prefix) else { return Array(secret.utf8) }
        guard let bytes = Data(base64Encoded: String(secret.dropFirst(prefix.count))), !bytes.isEmpty else {
            return nil
        }
        return Array(bytes)
    }
}
