import Crypto

/// A key that is used again and again with one algorithm: what an HMAC makes of its key is made once.
public struct PreparedKey: Sendable {
    private enum State: Sendable {
        case sha1(HMAC<Insecure.SHA1>)
        case sha256(HMAC<SHA256>)
    }

    private let state: State

    fileprivate init(_ key: IntegrityKey, _ algorithm: IntegrityAlgorithm) {
        state =
            switch algorithm {
            case .sha1: .sha1(HMAC(key: key.key))
            case .sha256: .sha256(HMAC(key: key.key))
            }
    }

    /// The HMAC of `bytes` under this key.
    public func code(over bytes: [UInt8]) -> [UInt8] {
        switch state {
        case .sha1(var authenticator):
            authenticator.update(data: bytes)
            return Array(authenticator.finalize())
        case .sha256(var authenticator):
            authenticator.update(data: bytes)
            return Array(authenticator.finalize())
        }
    }
}

extension IntegrityKey {
    /// This key, ready for many codes of one algorithm.
    public func prepared(_ algorithm: IntegrityAlgorithm) -> PreparedKey { PreparedKey(self, algorithm) }
}
