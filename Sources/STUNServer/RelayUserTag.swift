import STUNCore

/// A short name for a user that tells nobody who it is: a keyed hash of the user id. Every node that shares the secret
/// makes the same one.
public struct RelayUserTag: Hashable, Sendable {
    /// 12 characters of base64url: neither a colon nor a tilde among them.
    public let text: String

    /// The tag of a user id under `secret`.
    public init(userID: String, secret: SharedSecret) {
        // The prefix keeps the tag apart from the other things that the secret signs.
        let code = secret.key.authenticationCode(.sha256, over: Array("relay-user-tag\n\(userID)".utf8))
        text = Base64.url.encode(code.prefix(9))
    }

    init(text: String) { self.text = text }
}
