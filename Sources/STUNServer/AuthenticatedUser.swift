public import STUNCore

/// Who sent a request whose integrity was right. An allocation keeps this value: later requests for it are verified with
/// the key in it, whatever became of the credential meanwhile.
public struct AuthenticatedUser: Sendable {
    /// USERNAME as it was sent.
    public let username: String
    /// Whose quota an allocation counts against.
    public let quotaKey: QuotaKey
    /// The call that the credential was minted for.
    public let callID: String?
    /// When the credential ends, in seconds of the Unix epoch; nil for static users.
    public let expiry: UInt64?
    /// Key and attribute of the request's integrity, with which its response is sealed.
    public let seal: IntegritySeal

    /// Whether USERNAME is the same, byte for byte: strings that look alike are different users.
    public func isNamed(_ username: String) -> Bool { self.username.utf8.elementsEqual(username.utf8) }
}
