internal import NetPrimitives

/// Who sent a request whose integrity was right. An allocation keeps this value: later requests for it are verified with
/// the keys in it, whatever became of the credential meanwhile.
///
/// There is one for every allocation, so it holds what cannot be worked out again, and nothing else.
public struct AuthenticatedUser: Sendable {
    let owner: CredentialOwner
    let keys: LongTermKeys

    /// USERNAME as the user sends it, or would if it were not for USERHASH.
    public var username: String { owner.username }
    /// Whose quota an allocation counts against.
    public var quotaKey: QuotaKey { owner.quotaKey }
    /// The call that the credential was minted for.
    public var callID: String? { owner.timeLimited?.own?.callID }
    /// When the credential ends, in seconds of the Unix epoch; nil for static users.
    public var expiry: UInt64? { owner.expiry }

    /// Whether USERNAME is the same, byte for byte: strings that look alike are different users.
    public func isNamed(_ username: String) -> Bool { self.username.isIdentical(to: username) }
}

/// Whose a credential is: everything else about it stands in the name.
struct CredentialOwner: Sendable {
    let username: String
    /// Whether it is a user of the configuration, whatever the name looks like.
    let isStatic: Bool

    var timeLimited: TimeLimitedUsername? { isStatic ? nil : TimeLimitedUsername(parsing: username) }

    var expiry: UInt64? { timeLimited?.expiry }

    var quotaKey: QuotaKey {
        guard let parts = timeLimited else { return .staticUser(username) }
        return parts.own.map { .tag($0.tag) } ?? .name(parts.name)
    }
}
