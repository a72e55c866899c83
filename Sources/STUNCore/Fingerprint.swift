import NetPrimitives

extension MessageView {
    /// Whether FINGERPRINT, if the message has one, is right and stands last (RFC 8489 §14.7). True without one.
    public var isFingerprintRight: Bool {
        guard let fingerprint else { return true }
        guard fingerprint.length == 4, fingerprint.end == bytes.byteCount,
            let carried = bytes.uint32(at: fingerprint.valueOffset)
        else { return false }
        return carried == fingerprintValue(over: bytes, upTo: fingerprint.offset)
    }
}

/// The value of FINGERPRINT over the part of `message` before `end`. The length field must already count the attribute.
func fingerprintValue(over message: RawSpan, upTo end: Int) -> UInt32 {
    var crc = CRC32()
    if let covered = message.slice(at: 0, length: end) { crc.update(covered) }
    return crc.value ^ 0x5354_554E
}
