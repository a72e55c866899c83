import Logging
import SocketIO
import Testing

@testable import callrelay

@Suite("Log lines")
struct LineLogHandlerTests {
    private static let metadata = [("path", "/a\nfake line"), ("user", "a\"b")]

    @Test("text is one line, whatever came from outside")
    func text() {
        let line = LineLogHandler.text("now", .info, "callrelay", "two\nlines", Self.metadata)
        #expect(line == "now info callrelay: two�lines path=/a�fake line user=a\"b")
        #expect(line.split(whereSeparator: \.isNewline).count == 1)
    }

    @Test("JSON is an object of strings on one line")
    func json() throws {
        let line = LineLogHandler.json("now", .warning, "callrelay", "two\nlines", Self.metadata)
        #expect(line.split(whereSeparator: \.isNewline).count == 1)
        let object = try JSONText(validating: line)
        #expect(object["level"] == "warning")
        #expect(object["message"]?.stringValue == "two\nlines")
        #expect(object["path"]?.stringValue == "/a\nfake line")
    }
}
