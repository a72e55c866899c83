import SocketIO
import Testing

@Suite("JSON text")
struct JSONTextTests {
    @Test("keeps the text as it came, without the white space around it")
    func keepsText() throws {
        let json = try JSONText(validating: " {\"b\":1.0, \"a\":[1e2,\"\\/\"]}\r\n\t")
        #expect(json.text == "{\"b\":1.0, \"a\":[1e2,\"\\/\"]}")
        #expect(json.members()?.map(\.name) == ["b", "a"])
        #expect(json["a"]?.elements()?.map(\.text) == ["1e2", "\"\\/\""])
    }

    @Test(
        "takes every form of the grammar",
        arguments: [
            "null", "true", "false", "0", "-0", "-1", "12", "1.5", "1e5", "1E+5", "1.25e-10", "\"\"", "\"a\"",
            "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", "\"\\ud83c\\udf88\"", "\"\\ud83c\"", "\"€ 日本\"", "[]", "[ ]", "{}",
            "{ }", "[1]", "[1,2]", "[ 1 , [ 2 , { } ] ]", "{\"a\":1}", "{\"a\":{\"b\":[{\"c\":null}]},\"d\":[]}",
        ]
    )
    func takes(text: String) throws {
        #expect(try JSONText(validating: text).text == text)
    }

    @Test(
        "refuses what the grammar does not have",
        arguments: [
            "", " ", "nul", "nulll", "True", "+1", "01", "-", "1.", ".5", "1e", "1e+", "0x1", "NaN", "\"", "\"a",
            "\"\\\"",
            "\"\\x\"", "\"\\u12g4\"", "\"\\u12\"", "\"\n\"", "\"\u{1E}\"", "'a'", "[", "]", "[1", "[1,", "[1,]", "[,1]",
            "[1 2]", "[1}", "{", "}", "{]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\":1 \"b\":2}",
            "1 2", "{}{}", "\u{FEFF}1", "/**/1", "[1]x",
        ]
    )
    func refuses(text: String) {
        #expect(throws: JSONFailure.self) { try JSONText(validating: text) }
    }

    @Test(
        "refuses bytes that are not UTF-8",
        arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0xED, 0xA0, 0x80]]
    )
    func refusesBytes(bytes: [UInt8]) {
        #expect(throws: JSONFailure.notUTF8) { try JSONText(validating: bytes) }
    }

    @Test("counts depth and stops at the limit", arguments: [("[", "]"), ("{\"a\":", "}")])
    func depth(open: String, close: String) throws {
        func nested(_ depth: Int) -> String {
            String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        }
        #expect(try JSONText(validating: nested(64)).text == nested(64))
        #expect(throws: JSONFailure.tooDeep) { try JSONText(validating: nested(65)) }
        #expect(throws: JSONFailure.tooDeep) {
            try JSONText(validating: nested(4), limits: JSONLimits(maximumDepth: 3))
        }
        #expect(throws: JSONFailure.tooDeep) { try JSONText(validating: String(repeating: open, count: 100_000)) }
    }

    @Test("stops at the limit of bytes")
    func size() throws {
        let limits = JSONLimits(maximumBytes: 5)
        #expect(try JSONText(validating: "\"abc\"", limits: limits).byteCount == 5)
        #expect(throws: JSONFailure.tooLarge) { try JSONText(validating: "\"abcd\"", limits: limits) }
    }

    @Test("tells the kinds apart and reads scalars")
    func scalars() throws {
        #expect(try JSONText(validating: "-12").integerValue == -12)
        #expect(try JSONText(validating: "1.5").integerValue == nil)
        #expect(try JSONText(validating: "99999999999999999999").integerValue == nil)
        #expect(try JSONText(validating: "1.5e3").doubleValue == 1500)
        #expect(try JSONText(validating: "true").booleanValue == true)
        #expect(try JSONText(validating: "1").booleanValue == nil)
        #expect(try JSONText(validating: "null").isNull)
        #expect(try JSONText(validating: "\"1\"").integerValue == nil)
        #expect(try JSONText(validating: "[]").stringValue == nil)
        let kinds = try ["{}", "[]", "\"\"", "-1", "true", "null"].map { try JSONText(validating: $0).kind }
        #expect(kinds == [.object, .array, .string, .number, .boolean, .null])
    }

    @Test(
        "resolves escapes",
        arguments: [
            ("\"plain\"", "plain"), ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{08}\u{0C}\n\r\t"), ("\"\\u00e9\"", "é"),
            ("\"\\ud83c\\udf88!\"", "🎈!"), ("\"\\u0000\"", "\0"), ("\"\\uffff\"", "\u{FFFF}"),
        ]
    )
    func escapes(text: String, characters: String) throws {
        #expect(try JSONText(validating: text).stringValue == characters)
    }

    @Test(
        "a lone surrogate stands for no characters",
        arguments: ["\"\\ud83c\"", "\"\\ud83cx\"", "\"\\udf88\\ud83c\"", "\"\\ud83c\\u0041\"", "\"\\udf88\""]
    )
    func loneSurrogates(text: String) throws {
        #expect(try JSONText(validating: text).stringValue == nil)
        #expect(try JSONText(validating: "{\(text):1}").members() == nil)
        #expect(try JSONText(validating: "[\(text)]").elements()?.map(\.text) == [text])
    }

    @Test("gives the last of two members of the same name, as JavaScript does")
    func lastMemberWins() throws {
        #expect(try JSONText(validating: "{\"a\":1,\"\\u0061\":2}")["a"] == 2)
        #expect(try JSONText(validating: "{\"a\":1}")["b"] == nil)
        #expect(try JSONText(validating: "[1]")["a"] == nil)
    }

    @Test("gives no elements or members beyond the limit, and none of another kind")
    func limits() throws {
        let array = try JSONText(validating: "[1,2,3]")
        #expect(array.elements(limit: 3) == [1, 2, 3])
        #expect(array.elements(limit: 2) == nil)
        #expect(array.members() == nil)
        let object = try JSONText(validating: "{\"a\":1,\"b\":2}")
        #expect(object.members(limit: 2)?.count == 2)
        #expect(object.members(limit: 1) == nil)
        #expect(object.elements() == nil)
    }

    @Test("writes what the protocol's own clients write")
    func writes() {
        #expect(JSONText.string("a\"\\/\n\u{01}é🎈").text == "\"a\\\"\\\\/\\n\\u0001é🎈\"")
        #expect(
            JSONText.object([("b", 1), ("x", nil), ("a", ["y", true, .null])]).text
                == "{\"b\":1,\"a\":[\"y\",true,null]}"
        )
        #expect(JSONText.array([]).text == "[]")
        #expect(JSONText.object([]).text == "{}")
        #expect(JSONText.number(1).text == "1")
        #expect(JSONText.number(-2.5).text == "-2.5")
        #expect(JSONText.number(.infinity).text == "null")
        #expect(JSONText.integer(UInt64.max).text == "18446744073709551615")
        let literal: JSONText = ["seq": 1, "call": ["id": "x"]]
        #expect(literal.text == "{\"seq\":1,\"call\":{\"id\":\"x\"}}")
    }
}
