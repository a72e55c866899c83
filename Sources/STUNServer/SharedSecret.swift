import STUNCore

/// A secret that this server shares with whoever mints time-limited credentials.
public struct SharedSecret: Sendable {
    let key: IntegrityKey
    /// What passwords are made with.
    let passwordKey: PreparedKey

    /// The secret as it is configured: its UTF-8 form is the HMAC key.
    public init(_ text: String) {
        key = IntegrityKey(Array(text.utf8))
        passwordKey = key.prepared(.sha1)
    }
}
