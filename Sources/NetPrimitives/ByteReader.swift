/// Bounds-checked big-endian loads. This is the one file that reads raw memory by offset.
extension RawSpan {
    /// The byte at `offset`, nil outside the span.
    @inlinable
    public func uint8(at offset: Int) -> UInt8? {
        guard offset >= 0, offset < byteCount else { return nil }
        // SAFETY: the line above proves that one byte at `offset` lies inside the span.
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    /// The two bytes at `offset` in network order, nil if either lies outside the span.
    @inlinable
    public func uint16(at offset: Int) -> UInt16? {
        guard hasBytes(2, at: offset) else { return nil }
        // SAFETY: `hasBytes` proves that two bytes at `offset` lie inside the span.
        return unsafe UInt16(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self))
    }

    /// The four bytes at `offset` in network order, nil if any lies outside the span.
    @inlinable
    public func uint32(at offset: Int) -> UInt32? {
        guard hasBytes(4, at: offset) else { return nil }
        // SAFETY: `hasBytes` proves that four bytes at `offset` lie inside the span.
        return unsafe UInt32(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
    }

    /// The eight bytes at `offset` in network order, nil if any lies outside the span.
    @inlinable
    public func uint64(at offset: Int) -> UInt64? {
        guard hasBytes(8, at: offset) else { return nil }
        // SAFETY: `hasBytes` proves that eight bytes at `offset` lie inside the span.
        return unsafe UInt64(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }

    /// Whether `length` bytes starting at `offset` lie inside the span; never overflows, whatever the arguments.
    @inlinable
    public func hasBytes(_ length: Int, at offset: Int) -> Bool {
        offset >= 0 && length >= 0 && offset <= byteCount && length <= byteCount &- offset
    }

    /// The part of the span that starts at `offset`, nil unless all of it lies inside.
    @inlinable
    @_lifetime(copy self)
    public func slice(at offset: Int, length: Int) -> RawSpan? {
        guard hasBytes(length, at: offset) else { return nil }
        return extracting(offset..<(offset &+ length))
    }

    /// A copy of the bytes, for what has to outlive the receive buffer.
    public func copied() -> [UInt8] {
        var copy: [UInt8] = []
        copy.reserveCapacity(byteCount)
        for offset in 0..<byteCount {
            // SAFETY: `offset` runs over the span's own bounds.
            copy.append(unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self))
        }
        return copy
    }
}

/// A byte sequence ended before what was asked of it.
public struct ByteReadFailure: Error, Hashable, Sendable {
    /// How many bytes were asked for.
    public let needed: Int
    /// How many were left.
    public let available: Int

    /// A failure to read `needed` bytes where only `available` were left.
    public init(needed: Int, available: Int) {
        self.needed = needed
        self.available = available
    }
}

/// A cursor over borrowed bytes that reads network-order integers and never leaves its bounds.
@frozen
public struct ByteReader: ~Escapable {
    /// The bytes that are read.
    public let bytes: RawSpan
    /// How many bytes were read so far.
    public private(set) var offset: Int

    /// A cursor at the start of `bytes`.
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) {
        self.bytes = bytes
        offset = 0
    }

    /// How many bytes are left.
    public var remaining: Int { bytes.byteCount &- offset }

    /// Reads one byte.
    public mutating func readUInt8() throws(ByteReadFailure) -> UInt8 {
        guard let value = bytes.uint8(at: offset) else { throw shortage(of: 1) }
        offset &+= 1
        return value
    }

    /// Reads two bytes in network order.
    public mutating func readUInt16() throws(ByteReadFailure) -> UInt16 {
        guard let value = bytes.uint16(at: offset) else { throw shortage(of: 2) }
        offset &+= 2
        return value
    }

    /// Reads four bytes in network order.
    public mutating func readUInt32() throws(ByteReadFailure) -> UInt32 {
        guard let value = bytes.uint32(at: offset) else { throw shortage(of: 4) }
        offset &+= 4
        return value
    }

    /// Reads eight bytes in network order.
    public mutating func readUInt64() throws(ByteReadFailure) -> UInt64 {
        guard let value = bytes.uint64(at: offset) else { throw shortage(of: 8) }
        offset &+= 8
        return value
    }

    /// Passes over `count` bytes.
    public mutating func skip(_ count: Int) throws(ByteReadFailure) {
        guard bytes.hasBytes(count, at: offset) else { throw shortage(of: count) }
        offset &+= count
    }

    private func shortage(of needed: Int) -> ByteReadFailure {
        ByteReadFailure(needed: needed, available: remaining)
    }
}

extension Span where Element == UInt8 {
    /// The same bytes as a raw span.
    public var rawBytes: RawSpan {
        @_lifetime(copy self)
        // SAFETY: every bit pattern of UInt8 is a value, and a byte has no padding.
        get { unsafe bytes }
    }
}
