/// An append-only buffer of a fixed capacity, written in network order and used again and again.
///
/// It never grows: what does not fit is not written at all and sets `overflowed`, so that a caller may append a whole
/// message and ask once, at its end, whether there was room.
public struct ByteWriter: ~Copyable {
    /// How many bytes fit in all.
    public let capacity: Int
    /// Whether something did not fit since the last `removeAll` or `truncate`.
    public private(set) var overflowed = false
    private var storage: [UInt8] = []

    /// A writer with room for `capacity` bytes, allocated here and never again.
    public init(capacity: Int) {
        precondition(capacity >= 0, "a capacity cannot be negative")
        self.capacity = capacity
        storage.reserveCapacity(capacity)
    }

    /// How many bytes are written.
    public var count: Int { storage.count }

    /// All that is written.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        // SAFETY: every bit pattern of UInt8 is a value, and a byte has no padding.
        borrowing get { unsafe storage.span.bytes }
    }

    /// The part of what is written that `range` names; `range` must lie inside it.
    @_lifetime(borrow self)
    public borrowing func bytes(in range: Range<Int>) -> RawSpan {
        bytes.extracting(range)
    }

    /// Forgets what is written and keeps the memory.
    public mutating func removeAll() {
        storage.removeAll(keepingCapacity: true)
        overflowed = false
    }

    /// Takes back everything from `count` on, and an overflow with it.
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= storage.count, "only written bytes can be taken back")
        storage.removeLast(storage.count - count)
        overflowed = false
    }

    /// Appends one byte.
    public mutating func append(_ value: UInt8) {
        guard makeRoom(for: 1) else { return }
        storage.append(value)
    }

    /// Appends two bytes in network order.
    public mutating func append(_ value: UInt16) {
        guard makeRoom(for: 2) else { return }
        storage.append(UInt8(truncatingIfNeeded: value >> 8))
        storage.append(UInt8(truncatingIfNeeded: value))
    }

    /// Appends four bytes in network order.
    public mutating func append(_ value: UInt32) {
        guard makeRoom(for: 4) else { return }
        append(UInt16(truncatingIfNeeded: value >> 16))
        append(UInt16(truncatingIfNeeded: value))
    }

    /// Appends eight bytes in network order.
    public mutating func append(_ value: UInt64) {
        guard makeRoom(for: 8) else { return }
        append(UInt32(truncatingIfNeeded: value >> 32))
        append(UInt32(truncatingIfNeeded: value))
    }

    /// Appends a copy of `bytes`.
    public mutating func append(_ bytes: RawSpan) {
        guard makeRoom(for: bytes.byteCount) else { return }
        for offset in 0..<bytes.byteCount {
            guard let byte = bytes.uint8(at: offset) else { break }
            storage.append(byte)
        }
    }

    /// Appends the UTF-8 form of `text`.
    public mutating func append(_ text: String) {
        guard makeRoom(for: text.utf8.count) else { return }
        storage.append(contentsOf: text.utf8)
    }

    /// Appends `count` zero bytes.
    public mutating func appendZeros(_ count: Int) {
        guard makeRoom(for: count) else { return }
        for _ in 0..<count { storage.append(0) }
    }

    /// Overwrites the two bytes at `offset`, both of them written before.
    public mutating func overwrite(_ value: UInt16, at offset: Int) {
        precondition(offset >= 0 && offset &+ 2 <= storage.count, "only written bytes can be overwritten")
        storage[offset] = UInt8(truncatingIfNeeded: value >> 8)
        storage[offset &+ 1] = UInt8(truncatingIfNeeded: value)
    }

    /// Makes the writer refuse everything from here on, for a caller who found that the whole cannot be expressed.
    public mutating func markOverflowed() { overflowed = true }

    /// Once something did not fit, nothing more is written: a hole in the middle would be worse than a short end.
    private mutating func makeRoom(for length: Int) -> Bool {
        guard !overflowed, length <= capacity &- storage.count else {
            overflowed = true
            return false
        }
        return true
    }
}
