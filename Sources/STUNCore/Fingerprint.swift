import NetPrimitives

/// FINGERPRINT: a checksum that tells STUN from what only looks like it (RFC 8489 §14.7).
public enum Fingerprint {
    /// Whether the attribute whose header begins at `offset` of a whole message stands last in it and is right.
    public static func isRight(in message: RawSpan, at offset: Int) -> Bool {
        guard message.uint16(at: offset &+ 2) == 4, offset &+ 8 == message.byteCount,
            let carried = message.uint32(at: offset &+ 4)
        else { return false }
        return carried == fingerprintValue(over: message, upTo: offset)
    }
}

extension MessageView {
    /// Whether FINGERPRINT, if the message has one, is right and stands last (RFC 8489 §14.7). True without one.
    public var isFingerprintRight: Bool {
        guard let fingerprint else { return true }
        return Fingerprint.isRight(in: bytes, at: fingerprint.offset)
    }
}

/// The value of FINGERPRINT over the part of `message` before `end`. The length field must already count the attribute.
func fingerprintValue(over message: RawSpan, upTo end: Int) -> UInt32 {
    var crc = CRC32()
    if let covered = message.slice(at: 0, length: end) { crc.update(covered) }
    return crc.value ^ 0x5354_554E
}
