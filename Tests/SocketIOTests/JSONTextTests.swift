import SocketIO
import Testing

@Suite("JSON text")
struct JSONTextTests {
    @Test("keeps the text as it came, without the white space around it")
    func keepsText() throws {
        let json = try JSONText(validating: " {\"b\":1.0, \"a\":[1e2,\"\\/\"]}\n")
        #expect(json.text == "{\"b\":1.0, \"a\":[1e2,\"\\/\"]}")
        #expect(json.members()?.map(\.name) == ["b", "a"])
        #expect(json["a"]?.elements()?.map(\.text) == ["1e2", "\"\\/\""])
    }
}
