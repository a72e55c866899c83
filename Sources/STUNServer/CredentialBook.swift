import STUNCore

/// An immutable snapshot of who may use the relay: users with fixed passwords, and secrets whose holders mint
/// time-limited credentials. A change of configuration makes a new book.
public struct CredentialBook: Sendable {
    /// The realm that the keys belong to.
    public let realm: String
    /// By the name's UTF-8 form: strings that look alike are different users.
    private let staticUsers: [[UInt8]: Candidate]
    private let namesByHash: [Userhash: [UInt8]]
    private let secrets: [SharedSecret]
    /// Nobody's keys, for names that nobody has.
    private let decoy: Candidate

    /// A book for `realm`. Passwords by user name; of several secrets the first is the one to mint with, and all verify.
    ///
    /// Realm, names and passwords are taken as they are: whoever configures them prepares them by the OpaqueString
    /// profile (RFC 8265 §4.2).
    public init(realm: String, staticUsers: [String: String] = [:], sharedSecrets: [SharedSecret] = []) {
        self.realm = realm
        secrets = sharedSecrets
        var users: [[UInt8]: Candidate] = [:]
        var names: [Userhash: [UInt8]] = [:]
        for (name, password) in staticUsers {
            let bytes = Array(name.utf8)
            users[bytes] = Candidate(
                owner: CredentialOwner(username: name, isStatic: true),
                keys: .making(username: name, realm: realm, password: password)
            )
            names[Userhash(username: name, realm: realm)] = bytes
        }
        self.staticUsers = users
        namesByHash = names
        decoy = Candidate(owner: nil, keys: .making(username: "", realm: realm, password: ""))
    }

    /// What the book allows to announce. User hashes only where every name is known, since a client must then send one,
    /// and the hash of a time-limited name tells nobody the name that its password is made of.
    public var features: SecurityFeatures {
        secrets.isEmpty && !staticUsers.isEmpty ? [.passwordAlgorithms, .usernameAnonymity] : .passwordAlgorithms
    }

    /// What may belong to `username`. A static user hides a time-limited name. For a name that nobody has, one candidate
    /// without an owner, so that it costs as much to find out as a wrong password.
    func candidates(for username: String) -> [Candidate] {
        if let user = staticUsers[Array(username.utf8)] { return [user] }
        let owner = CredentialOwner(username: username, isStatic: false)
        guard !secrets.isEmpty, owner.timeLimited != nil else { return nobody }
        return secrets.map { secret in
            let password = TimeLimitedCredential.password(for: username, secret: secret)
            return Candidate(owner: owner, keys: .password(password))
        }
    }

    /// What may belong to the user whose hash this is: nobody's where user hashes are not announced.
    func candidates(for userhash: Userhash) -> [Candidate] {
        guard features.contains(.usernameAnonymity), let name = namesByHash[userhash], let user = staticUsers[name]
        else { return nobody }
        return [user]
    }

    /// For a request whose user cannot even be read.
    var nobody: [Candidate] { [decoy] }

    struct Candidate: Sendable {
        /// Nil for keys that are computed with and believed in no case.
        let owner: CredentialOwner?
        let keys: LongTermKeys
    }
}
