/// The values of a command in PostgreSQL's binary format, one after the other.
///
/// Binary, because then nothing has to be escaped, and a NUL in a text is refused by the server instead of ending the text
/// early.
public struct PostgresValues: Sendable {
    /// All values' bytes; the first byte belongs to none, so that even an empty value has an address.
    private(set) var bytes: [UInt8] = [0]
    /// Where each value lies in `bytes`; nil for NULL.
    private(set) var places: [Range<Int>?] = []

    var count: Int { places.count }

    /// Adds a text, or NULL.
    public mutating func append(_ text: String?) {
        guard let text else { return places.append(nil) }
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        places.append(start..<bytes.count)
    }

    /// Adds a number, or NULL.
    public mutating func append(_ number: Int64?) {
        guard let number else { return places.append(nil) }
        let start = bytes.count
        bytes.appendBigEndian(number)
        places.append(start..<bytes.count)
    }

    /// Adds a truth value.
    public mutating func append(_ isTrue: Bool) {
        bytes.append(isTrue ? 1 : 0)
        places.append(bytes.count - 1..<bytes.count)
    }

    /// Adds an array of texts or NULLs, one for each of `elements`.
    public mutating func append<Elements: Collection>(
        texts elements: Elements,
        _ text: (Elements.Element) -> String?
    ) {
        appendArray(of: .text, elements) { element, bytes in
            guard let text = text(element) else { return bytes.appendBigEndian(Int32(-1)) }
            let length = bytes.count
            bytes.appendBigEndian(Int32(0))
            bytes.append(contentsOf: text.utf8)
            bytes.setBigEndian(Int32(bytes.count - length - 4), at: length)
        }
    }

    /// Adds an array of numbers or NULLs, one for each of `elements`.
    public mutating func append<Elements: Collection>(
        numbers elements: Elements,
        _ number: (Elements.Element) -> Int64?
    ) {
        appendArray(of: .bigint, elements) { element, bytes in
            guard let number = number(element) else { return bytes.appendBigEndian(Int32(-1)) }
            bytes.appendBigEndian(Int32(8))
            bytes.appendBigEndian(number)
        }
    }

    /// Adds an array of truth values, one for each of `elements`.
    public mutating func append<Elements: Collection>(
        booleans elements: Elements,
        _ isTrue: (Elements.Element) -> Bool
    ) {
        appendArray(of: .boolean, elements) { element, bytes in
            bytes.appendBigEndian(Int32(1))
            bytes.append(isTrue(element) ? 1 : 0)
        }
    }

    /// PostgreSQL's `array_send`: dimensions, whether there are NULLs, the elements' type, then length and first index of the
    /// one dimension; each element follows its length, which is -1 for NULL.
    private mutating func appendArray<Elements: Collection>(
        of type: PostgresType,
        _ elements: Elements,
        _ appendElement: (Elements.Element, inout [UInt8]) -> Void
    ) {
        let start = bytes.count
        bytes.appendBigEndian(Int32(elements.isEmpty ? 0 : 1))
        bytes.appendBigEndian(Int32(1))
        bytes.appendBigEndian(type.rawValue)
        if !elements.isEmpty {
            bytes.appendBigEndian(Int32(elements.count))
            bytes.appendBigEndian(Int32(1))
            for element in elements { appendElement(element, &bytes) }
        }
        places.append(start..<bytes.count)
    }
}

extension [UInt8] {
    fileprivate mutating func appendBigEndian(_ number: some FixedWidthInteger) {
        var shift = number.bitWidth
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    fileprivate mutating func setBigEndian(_ number: Int32, at index: Int) {
        for offset in 0..<4 { self[index + offset] = UInt8(truncatingIfNeeded: number >> (24 - 8 * Int32(offset))) }
    }
}
