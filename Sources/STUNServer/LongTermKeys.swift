import STUNCore

/// What becomes of one password by each password algorithm. Kept instead of the password, so that every request may
/// choose its algorithm anew.
struct LongTermKeys: Sendable {
    private let md5: IntegrityKey
    private let sha256: IntegrityKey

    init(username: String, realm: String, password: String) {
        md5 = .longTerm(.md5, username: username, realm: realm, password: password)
        sha256 = .longTerm(.sha256, username: username, realm: realm, password: password)
    }

    subscript(algorithm: PasswordAlgorithm) -> IntegrityKey {
        switch algorithm {
        case .md5: md5
        case .sha256: sha256
        }
    }
}
