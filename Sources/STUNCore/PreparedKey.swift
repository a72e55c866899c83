import Crypto
import NetPrimitives

/// A key that is used again and again with one algorithm: what an HMAC makes of its key is made once.
public struct PreparedKey: Sendable {
    private enum State: Sendable {
        case sha1(HMACState<Insecure.SHA1>)
        case sha256(HMACState<SHA256>)
    }

    private let state: State

    fileprivate init(_ key: IntegrityKey, _ algorithm: IntegrityAlgorithm) {
        state =
            switch algorithm {
            case .sha1: .sha1(HMACState(key: key.key))
            case .sha256: .sha256(HMACState(key: key.key))
            }
    }

    /// The HMAC of `bytes` under this key.
    public func code(over bytes: RawSpan) -> [UInt8] {
        switch state {
        case .sha1(var hash):
            hash.update(bytes)
            return hash.finish()
        case .sha256(var hash):
            hash.update(bytes)
            return hash.finish()
        }
    }

    /// The HMAC of `bytes` under this key.
    public func code(over bytes: [UInt8]) -> [UInt8] { code(over: bytes.span.rawBytes) }
}

extension IntegrityKey {
    /// This key, ready for many codes of one algorithm.
    public func prepared(_ algorithm: IntegrityAlgorithm) -> PreparedKey { PreparedKey(self, algorithm) }

    /// The HMAC of `bytes` under this key.
    public func authenticationCode(_ algorithm: IntegrityAlgorithm, over bytes: [UInt8]) -> [UInt8] {
        prepared(algorithm).code(over: bytes)
    }
}

/// Whatever holds a key may be described in a log.
extension PreparedKey: CustomStringConvertible {
    /// Says nothing of the key.
    public var description: String { "(a key)" }
}
