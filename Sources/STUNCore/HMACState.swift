import Crypto
import NetPrimitives

/// HMAC (RFC 2104) of one key: two hashes, each of which has taken in its block of the key.
///
/// Put together from the library's hash functions instead of its `HMAC`, which costs several times as much because it is
/// generic in another module (decision 0013).
struct HMACState<Hash: HashFunction & Sendable>: Sendable {
    private var inner = Hash()
    private var outer = Hash()

    init(key: SymmetricKey) {
        // SAFETY: the key's bytes are copied inside the closure.
        var bytes = unsafe key.withUnsafeBytes { unsafe Array($0) }
        if bytes.count > Hash.blockByteCount { bytes = Self.digest(of: bytes.span.rawBytes) }
        var innerBlock = [UInt8](repeating: 0x36, count: Hash.blockByteCount)
        var outerBlock = [UInt8](repeating: 0x5C, count: Hash.blockByteCount)
        for index in bytes.indices {
            innerBlock[index] ^= bytes[index]
            outerBlock[index] ^= bytes[index]
        }
        update(innerBlock.span.rawBytes)
        Self.feed(&outer, outerBlock.span.rawBytes)
    }

    mutating func update(_ bytes: RawSpan) { Self.feed(&inner, bytes) }

    /// The code over all that was taken in.
    consuming func finish() -> [UInt8] {
        Self.feed(&outer, Array(inner.finalize()).span.rawBytes)
        return Array(outer.finalize())
    }

    private static func feed(_ hash: inout Hash, _ bytes: RawSpan) {
        // SAFETY: the bytes are read inside the closure alone.
        unsafe bytes.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
    }

    private static func digest(of bytes: RawSpan) -> [UInt8] {
        var hash = Hash()
        feed(&hash, bytes)
        return Array(hash.finalize())
    }
}
