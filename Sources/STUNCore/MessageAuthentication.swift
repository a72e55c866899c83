import Crypto
import NetPrimitives

/// The HMAC over the part of `message` before `end`, computed as if the header's length field pointed to
/// `coveredEnd`: the end of the integrity attribute itself (RFC 8489 §14.5). The message is neither changed nor copied.
func authenticationCode(
    _ algorithm: IntegrityAlgorithm,
    key: IntegrityKey,
    over message: RawSpan,
    upTo end: Int,
    lengthUpTo coveredEnd: Int
) -> [UInt8] {
    switch algorithm {
    case .sha1:
        authenticationCode(HMAC<Insecure.SHA1>(key: key.key), over: message, upTo: end, lengthUpTo: coveredEnd)
    case .sha256:
        authenticationCode(HMAC<SHA256>(key: key.key), over: message, upTo: end, lengthUpTo: coveredEnd)
    }
}

private func authenticationCode<Hash: HashFunction>(
    _ authenticator: HMAC<Hash>,
    over message: RawSpan,
    upTo end: Int,
    lengthUpTo coveredEnd: Int
) -> [UInt8] {
    var authenticator = authenticator
    let length = UInt16(truncatingIfNeeded: coveredEnd &- MessageView.headerLength)
    let type = message.uint16(at: 0) ?? 0
    let start = [UInt8(truncatingIfNeeded: type >> 8), UInt8(truncatingIfNeeded: type)]
    authenticator.update(data: start + [UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length)])
    if let rest = message.slice(at: 4, length: end &- 4) {
        // SAFETY: the buffer is used inside the closure alone.
        unsafe rest.withUnsafeBytes { unsafe authenticator.update(data: $0) }
    }
    return Array(authenticator.finalize())
}

extension IntegrityKey {
    /// The HMAC of `bytes` under this key.
    public func authenticationCode(_ algorithm: IntegrityAlgorithm, over bytes: [UInt8]) -> [UInt8] {
        prepared(algorithm).code(over: bytes)
    }
}
