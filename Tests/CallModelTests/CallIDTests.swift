import CallModel
import Testing

@Suite("Names and times")
struct CallIDTests {
    @Test("Drawn identifiers are 24 URL-safe characters and differ")
    func random() {
        var generator = SystemRandomNumberGenerator()
        let drawn = (0..<1000).map { _ in CallID.random(using: &generator) }
        #expect(Set(drawn).count == 1000)
        for id in drawn {
            #expect(id.rawValue.utf8.count == 24)
            #expect(CallID(id.rawValue) == id)
        }
    }

    @Test(
        "What cannot be an identifier is none",
        arguments: ["", "a b", "../x", "é", String(repeating: "a", count: 65), "a\u{0}"]
    )
    func malformed(_ text: String) {
        #expect(CallID(text) == nil)
    }

    @Test(
        "Times are RFC 3339 in UTC with milliseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_001, "2000-02-29T00:00:00.001Z"),
            (1_795_359_845_678, "2026-11-22T15:04:05.678Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (Int64.max, "9999-12-31T23:59:59.999Z"), (Int64.min, "0000-01-01T00:00:00.000Z"),
        ] as [(Int64, String)]
    )
    func times(_ milliseconds: Int64, _ text: String) {
        #expect(Timestamp(milliseconds: milliseconds).rfc3339 == text)
    }

    @Test("The end of time is a wall, not a trap")
    func saturation() {
        #expect(Timestamp(milliseconds: .max).advanced(byMilliseconds: 1).milliseconds == .max)
        #expect(Timestamp(milliseconds: .min).advanced(byMilliseconds: -1).milliseconds == .min)
    }
}
