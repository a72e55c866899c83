import STUNCore

/// A secret that this server shares with whoever mints time-limited credentials.
public struct SharedSecret: Sendable, Equatable {
    let key: IntegrityKey

    /// The secret as it is configured: its UTF-8 form is the HMAC key.
    public init(_ text: String) { key = IntegrityKey(Array(text.utf8)) }
}
