import NetPrimitives

/// Decisions drawn from a fuzzer's bytes. Behind the end everything is zero, so that any input is a complete one.
struct FuzzInput: ~Escapable {
    private let bytes: RawSpan
    private var offset = 0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { self.bytes = bytes }

    var isEmpty: Bool { offset >= bytes.byteCount }

    mutating func byte() -> UInt8 {
        defer { offset += 1 }
        return bytes.uint8(at: offset) ?? 0
    }

    mutating func uint16() -> UInt16 { UInt16(byte()) << 8 | UInt16(byte()) }

    mutating func uint32() -> UInt32 { UInt32(uint16()) << 16 | UInt32(uint16()) }

    /// A number below `count`.
    mutating func index(_ count: Int) -> Int { Int(byte()) % count }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[index(elements.count)] }

    /// Up to `limit` of the bytes that are left, copied.
    mutating func take(_ limit: Int) -> [UInt8] {
        let count = min(limit, max(bytes.byteCount - offset, 0))
        defer { offset += count }
        return bytes.slice(at: offset, length: count)?.copied() ?? []
    }
}
