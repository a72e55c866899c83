import NetPrimitives

/// Reads MessagePack from a channel that anybody with access to Redis may write to.
struct MessagePackReader: ~Escapable {
    /// Containers inside one another.
    static let maximumDepth = 64
    /// Elements of one array or members of one map.
    static let maximumCount = 65_536

    private let bytes: RawSpan
    private var offset = 0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.byteCount }

    /// The number of elements of the array that comes.
    mutating func arrayCount() throws(AdapterFailure) -> Int {
        let head = try byte()
        if head & 0xF0 == 0x90 { return Int(head & 0x0F) }
        guard head == 0xDC || head == 0xDD else { throw .malformed }
        return try count(wide: head == 0xDD)
    }

    /// The number of members of the map that comes.
    mutating func mapCount() throws(AdapterFailure) -> Int {
        let head = try byte()
        if head & 0xF0 == 0x80 { return Int(head & 0x0F) }
        guard head == 0xDE || head == 0xDF else { throw .malformed }
        return try count(wide: head == 0xDF)
    }

    /// The text that comes, or a whole number as text: JavaScript has rooms with such names.
    mutating func name() throws(AdapterFailure) -> String {
        let value = try json(depth: Self.maximumDepth)
        if let text = value.stringValue { return text }
        guard let number = value.integerValue else { throw .malformed }
        return String(number)
    }

    /// The names of the array that comes.
    mutating func names() throws(AdapterFailure) -> [String] {
        var names: [String] = []
        for _ in 0..<(try arrayCount()) { names.append(try name()) }
        return names
    }

    /// Passes over the value that comes.
    mutating func skip() throws(AdapterFailure) { _ = try json(depth: 0) }

    /// The value that comes, as JSON.
    mutating func json() throws(AdapterFailure) -> JSONText { try json(depth: 0) }

    private mutating func json(depth: Int) throws(AdapterFailure) -> JSONText {
        let head = try byte()
        switch head {
        case 0x00...0x7F: return .integer(head)
        case 0xE0...0xFF: return .integer(Int8(bitPattern: head))
        case 0xA0...0xBF: return .string(try text(Int(head & 0x1F)))
        case 0xD9: return .string(try text(Int(try byte())))
        case 0xDA, 0xDB: return .string(try text(try length(wide: head == 0xDB)))
        case 0x80...0x8F: return try object(Int(head & 0x0F), depth)
        case 0xDE, 0xDF: return try object(try count(wide: head == 0xDF), depth)
        case 0x90...0x9F: return try array(Int(head & 0x0F), depth)
        case 0xDC, 0xDD: return try array(try count(wide: head == 0xDD), depth)
        case 0xC0: return .null
        case 0xC2, 0xC3: return .boolean(head == 0xC3)
        case 0xCC...0xD3, 0xCA, 0xCB: return try number(head)
        case 0xD4: return try undefined()
        // Binary, and what JSON has no word for.
        default: throw .unsupported
        }
    }

    private mutating func number(_ head: UInt8) throws(AdapterFailure) -> JSONText {
        switch head {
        case 0xCC: return .integer(try byte())
        case 0xCD: return .integer(try take(bytes.uint16(at: offset), 2))
        case 0xCE: return .integer(try take(bytes.uint32(at: offset), 4))
        case 0xCF: return .integer(try take(bytes.uint64(at: offset), 8))
        case 0xD0: return .integer(Int8(bitPattern: try byte()))
        case 0xD1: return .integer(Int16(bitPattern: try take(bytes.uint16(at: offset), 2)))
        case 0xD2: return .integer(Int32(bitPattern: try take(bytes.uint32(at: offset), 4)))
        case 0xD3: return .integer(Int64(bitPattern: try take(bytes.uint64(at: offset), 8)))
        case 0xCA: return .number(Double(Float(bitPattern: try take(bytes.uint32(at: offset), 4))))
        default: return .number(Double(bitPattern: try take(bytes.uint64(at: offset), 8)))
        }
    }

    /// JavaScript's `undefined`, as notepack.io writes it; JSON has `null` for it where something must stand.
    private mutating func undefined() throws(AdapterFailure) -> JSONText {
        guard try take(bytes.uint16(at: offset), 2) == 0 else { throw .unsupported }
        return .null
    }

    private mutating func object(_ count: Int, _ depth: Int) throws(AdapterFailure) -> JSONText {
        guard depth < Self.maximumDepth else { throw .tooDeep }
        var members: [(String, JSONText?)] = []
        for _ in 0..<count {
            let name = try name()
            members.append((name, try json(depth: depth + 1)))
        }
        return .object(members)
    }

    private mutating func array(_ count: Int, _ depth: Int) throws(AdapterFailure) -> JSONText {
        guard depth < Self.maximumDepth else { throw .tooDeep }
        var elements: [JSONText] = []
        for _ in 0..<count { elements.append(try json(depth: depth + 1)) }
        return .array(elements)
    }

    private mutating func text(_ length: Int) throws(AdapterFailure) -> String {
        guard let slice = bytes.slice(at: offset, length: length) else { throw .malformed }
        offset += length
        guard let text = String(validating: slice.copied(), as: UTF8.self) else { throw .malformed }
        return text
    }

    private mutating func length(wide: Bool) throws(AdapterFailure) -> Int {
        wide ? Int(try take(bytes.uint32(at: offset), 4)) : Int(try take(bytes.uint16(at: offset), 2))
    }

    private mutating func count(wide: Bool) throws(AdapterFailure) -> Int {
        let count = try length(wide: wide)
        guard count <= Self.maximumCount else { throw .tooLarge }
        return count
    }

    private mutating func byte() throws(AdapterFailure) -> UInt8 { try take(bytes.uint8(at: offset), 1) }

    private mutating func take<Number>(_ number: Number?, _ length: Int) throws(AdapterFailure) -> Number {
        guard let number else { throw .malformed }
        offset += length
        return number
    }
}
