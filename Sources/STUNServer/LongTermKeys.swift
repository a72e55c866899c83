import STUNCore

/// What the keys of one user in one realm are made of, so that every request may choose its password algorithm anew.
///
/// An allocation keeps this value, so it is small and shares what the book has: user name and realm come as arguments.
enum LongTermKeys: Sendable {
    /// Both, made once: for users of the configuration.
    case made(md5: IntegrityKey, sha256: IntegrityKey)
    /// The password of a time-limited credential, of which one of the two is hardly ever needed.
    case password(String)

    /// The keys of a user who signs many requests.
    static func making(username: String, realm: String, password: String) -> LongTermKeys {
        .made(
            md5: .longTerm(.md5, username: username, realm: realm, password: password),
            sha256: .longTerm(.sha256, username: username, realm: realm, password: password)
        )
    }

    func key(_ algorithm: PasswordAlgorithm, username: String, realm: String) -> IntegrityKey {
        switch self {
        case .made(let md5, let sha256): algorithm == .md5 ? md5 : sha256
        case .password(let password): .longTerm(algorithm, username: username, realm: realm, password: password)
        }
    }
}
