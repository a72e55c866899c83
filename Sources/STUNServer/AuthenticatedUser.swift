public import STUNCore

/// Who sent a request whose integrity was right. An allocation keeps this value: later requests for it are verified with
/// the keys in it, whatever became of the credential meanwhile.
public struct AuthenticatedUser: Sendable {
    let owner: CredentialOwner
    let keys: LongTermKeys
    /// Key and attribute that the response to the request is sealed with.
    public let seal: IntegritySeal

    init(_ owner: CredentialOwner, _ keys: LongTermKeys, _ choice: PasswordChoice) {
        self.owner = owner
        self.keys = keys
        seal = IntegritySeal(key: keys[choice.algorithm], algorithm: choice.sealAlgorithm)
    }

    /// USERNAME as the user sends it, or would if it were not for USERHASH.
    public var username: String { owner.username }
    /// Whose quota an allocation counts against.
    public var quotaKey: QuotaKey { owner.quotaKey }
    /// The call that the credential was minted for.
    public var callID: String? { owner.callID }
    /// When the credential ends, in seconds of the Unix epoch; nil for static users.
    public var expiry: UInt64? { owner.expiry }

    /// Whether USERNAME is the same, byte for byte: strings that look alike are different users.
    public func isNamed(_ username: String) -> Bool { self.username.utf8.elementsEqual(username.utf8) }
}

/// Whose a credential is.
struct CredentialOwner: Sendable {
    let username: String
    let quotaKey: QuotaKey
    var callID: String?
    var expiry: UInt64?
}
