import NetPrimitives

/// Whether two byte sequences are equal, in a time that depends on their lengths alone.
public func isEqualInConstantTime(_ left: RawSpan, _ right: RawSpan) -> Bool {
    guard left.byteCount == right.byteCount else { return false }
    var difference: UInt8 = 0
    for offset in 0..<left.byteCount {
        let byte = right.uint8(at: offset) ?? 0
        difference |= (left.uint8(at: offset) ?? ~byte) ^ byte
    }
    return difference == 0
}
