import STUNCore

/// An immutable snapshot of who may use the relay: users with fixed passwords, and secrets whose holders mint
/// time-limited credentials. A change of configuration makes a new book.
public struct CredentialBook: Sendable {
    /// The realm that the keys belong to.
    public let realm: String
    /// By the name's UTF-8 form: strings that look alike are different users.
    private let staticKeys: [[UInt8]: IntegrityKey]
    private let secrets: [SharedSecret]

    /// A book for `realm`. Passwords by user name; of several secrets the first is the one to mint with, and all verify.
    public init(realm: String, staticUsers: [String: String] = [:], sharedSecrets: [SharedSecret] = []) {
        self.realm = realm
        secrets = sharedSecrets
        var keys: [[UInt8]: IntegrityKey] = [:]
        for (name, password) in staticUsers {
            keys[Array(name.utf8)] = .longTerm(username: name, realm: realm, password: password)
        }
        staticKeys = keys
    }

    /// The secret that mints; nil if there are static users only.
    public var mintingSecret: SharedSecret? { secrets.first }

    /// What may belong to `username`; empty for a user who is not known. A static user hides a time-limited name.
    func candidates(for username: String) -> [Candidate] {
        if let key = staticKeys[Array(username.utf8)] {
            return [Candidate(key: key, quotaKey: .staticUser(username), expiry: nil, callID: nil)]
        }
        guard let parts = TimeLimitedUsername(parsing: username) else { return [] }
        let own = parts.own
        let quotaKey = own.map { QuotaKey.tag($0.tag) } ?? .name(parts.name)
        return secrets.map { secret in
            let password = TimeLimitedCredential.password(for: username, secret: secret)
            let key = IntegrityKey.longTerm(username: username, realm: realm, password: password)
            return Candidate(key: key, quotaKey: quotaKey, expiry: parts.expiry, callID: own?.callID)
        }
    }

    struct Candidate {
        let key: IntegrityKey
        let quotaKey: QuotaKey
        let expiry: UInt64?
        let callID: String?
    }
}
