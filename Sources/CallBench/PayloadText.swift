/// Finds what the generator needs in an event's payload, without reading the rest.
public enum PayloadText {
    private static let sequenceMarker = Array("\"seq\":".utf8)

    /// The event's number; it stands near the beginning of what the server writes.
    public static func sequence(in payload: String) -> UInt64? {
        let bytes = payload.utf8.span
        guard var place = end(of: sequenceMarker, in: bytes, from: 0) else { return nil }
        return digits(in: bytes, &place)
    }

    /// The offset behind the first `marker` from `start` on.
    static func end(of marker: [UInt8], in bytes: Span<UInt8>, from start: Int) -> Int? {
        var start = start
        while start + marker.count <= bytes.count {
            var matched = 0
            while matched < marker.count, bytes[start + matched] == marker[matched] { matched += 1 }
            if matched == marker.count { return start + matched }
            start += 1
        }
        return nil
    }

    /// The number at `offset`, which is moved behind it.
    static func digits(in bytes: Span<UInt8>, _ offset: inout Int) -> UInt64? {
        let start = offset
        var value: UInt64 = 0
        while offset < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[offset], offset - start < 19 {
            value = value * 10 + UInt64(bytes[offset] - UInt8(ascii: "0"))
            offset += 1
        }
        return offset > start ? value : nil
    }
}
