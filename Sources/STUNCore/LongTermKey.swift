import Crypto

/// How the key of long-term credentials is made, with the numbers of PASSWORD-ALGORITHM (RFC 8489 §18.5).
public enum PasswordAlgorithm: UInt16, Sendable, BitwiseCopyable {
    case md5 = 1
    case sha256 = 2
}

extension IntegrityKey {
    /// The key of long-term credentials: a hash over `username:realm:password` (RFC 8489 §9.2.2, §18.5.1).
    ///
    /// The strings are taken as they are: whoever stores passwords outside ASCII stores them prepared by the OpaqueString
    /// profile (RFC 8265).
    public static func longTerm(
        _ algorithm: PasswordAlgorithm = .md5,
        username: String,
        realm: String,
        password: String
    ) -> IntegrityKey {
        let text = Array("\(username):\(realm):\(password)".utf8)
        switch algorithm {
        case .md5: return IntegrityKey(SymmetricKey(data: Insecure.MD5.hash(data: text)))
        case .sha256: return IntegrityKey(SymmetricKey(data: SHA256.hash(data: text)))
        }
    }
}
