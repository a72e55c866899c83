import NetPrimitives

/// Whether two byte sequences are equal, in a time that depends on their lengths alone.
public func isEqualInConstantTime(_ left: RawSpan, _ right: some Collection<UInt8>) -> Bool {
    guard left.byteCount == right.count else { return false }
    var difference: UInt8 = 0
    for (offset, byte) in right.enumerated() { difference |= (left.uint8(at: offset) ?? ~byte) ^ byte }
    return difference == 0
}
