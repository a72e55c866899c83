import Crypto

/// The key of a message's integrity: what both sides make of user name, realm and password. Its memory is wiped when the
/// last copy goes.
public struct IntegrityKey: Sendable {
    let key: SymmetricKey

    /// A key of these bytes.
    public init(_ bytes: [UInt8]) { key = SymmetricKey(data: bytes) }

    init(_ key: SymmetricKey) { self.key = key }

    /// The key of short-term credentials: the password's UTF-8 form (RFC 8489 §9.1.1).
    public static func shortTerm(password: String) -> IntegrityKey { IntegrityKey(Array(password.utf8)) }
}

extension IntegrityKey: Equatable {
    /// Compares in constant time.
    public static func == (left: IntegrityKey, right: IntegrityKey) -> Bool { left.key == right.key }
}

/// The two ways to protect a message (RFC 8489 §14.5, §14.6).
public enum IntegrityAlgorithm: Hashable, Sendable, BitwiseCopyable {
    /// HMAC-SHA1 in MESSAGE-INTEGRITY.
    case sha1
    /// HMAC-SHA256 in MESSAGE-INTEGRITY-SHA256.
    case sha256

    /// The attribute that carries it.
    public var attributeType: AttributeType {
        switch self {
        case .sha1: .messageIntegrity
        case .sha256: .messageIntegritySHA256
        }
    }

    /// The length of the untruncated code.
    public var codeLength: Int {
        switch self {
        case .sha1: 20
        case .sha256: 32
        }
    }
}

/// What a message is to be sealed with.
public struct IntegritySeal: Sendable {
    /// The key that both sides know.
    public let key: IntegrityKey
    /// Which attribute is appended.
    public let algorithm: IntegrityAlgorithm

    /// Seals with `key` by `algorithm`.
    public init(key: IntegrityKey, algorithm: IntegrityAlgorithm) {
        self.key = key
        self.algorithm = algorithm
    }
}

/// Whatever holds a key may be described in a log.
extension IntegrityKey: CustomStringConvertible {
    /// Says nothing of the key.
    public var description: String { "(a key)" }
}
