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
        authenticationCode(HMACState<Insecure.SHA1>(key: key.key), over: message, upTo: end, lengthUpTo: coveredEnd)
    case .sha256:
        authenticationCode(HMACState<SHA256>(key: key.key), over: message, upTo: end, lengthUpTo: coveredEnd)
    }
}

private func authenticationCode<Hash: HashFunction & Sendable>(
    _ state: HMACState<Hash>,
    over message: RawSpan,
    upTo end: Int,
    lengthUpTo coveredEnd: Int
) -> [UInt8] {
    var state = state
    let length = UInt16(truncatingIfNeeded: coveredEnd &- MessageView.headerLength)
    let type = message.uint16(at: 0) ?? 0
    let start = [
        UInt8(truncatingIfNeeded: type >> 8), UInt8(truncatingIfNeeded: type),
        UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length),
    ]
    state.update(start.span.rawBytes)
    if let rest = message.slice(at: 4, length: end &- 4) { state.update(rest) }
    return state.finish()
}
