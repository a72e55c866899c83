import Foundation
import Testing

/// What the documents say about tests stays true.
@Suite("Documents name what exists")
struct DocumentationTests {
    /// A test as the documents name it: `File.swift › title` or `test_file.py › function`.
    struct NamedTest: Hashable {
        let file: String
        let name: String

        /// Every such name between backquotes in a text.
        static func all(in text: String) -> [NamedTest] {
            let quoted = text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
                .filter { $0.offset % 2 == 1 }
            return quoted.compactMap { _, words in
                let parts = words.components(separatedBy: " › ")
                guard parts.count == 2, parts[0].hasSuffix(".swift") || parts[0].hasSuffix(".py") else { return nil }
                return NamedTest(file: parts[0], name: parts[1])
            }
        }

        /// Whether `source`, the text of the file, has this test.
        func exists(in source: String) -> Bool {
            file.hasSuffix(".py") ? source.contains("def \(name)(") : source.contains("\"\(name)\"")
        }
    }

    @Test("every test that a document names exists", arguments: ["docs/rfc-support.md", "docs/security.md"])
    func namedTestsExist(path: String) throws {
        let document = SourceTree.root.appendingPathComponent(path)
        let named = NamedTest.all(in: try String(contentsOf: document, encoding: .utf8))
        #expect(named.count > 20)
        let sources = try SourceTree.texts(below: "Tests", extensions: ["swift", "py"])
        for test in named {
            let exists = sources[test.file]?.contains { test.exists(in: $0) } ?? false
            #expect(exists, "no test \"\(test.name)\" in a file \(test.file) below Tests")
        }
    }

    @Test("every hole in docs/security.md that has a number has a test with that number in its title")
    func holesHaveTests() throws {
        let document = SourceTree.root.appendingPathComponent("docs/security.md")
        var numbered = 0
        for row in try String(contentsOf: document, encoding: .utf8).split(separator: "\n") where row.hasPrefix("| ") {
            let known = row.dropFirst(2).prefix { $0 != "|" }
            let titles = NamedTest.all(in: String(row)).map(\.name)
            for number in known.matches(of: #/CVE-[0-9-]+|GHSA-[0-9a-z-]+/#).map({ String($0.output) }) {
                numbered += 1
                #expect(titles.contains { $0.contains(number) }, "no test in its row is named after \(number)")
            }
        }
        #expect(numbered >= 11)
    }

    @Test("a name is read between backquotes, and a missing test is noticed")
    func namesAreRead() throws {
        let row = "| asked | `A.swift › does it`, also `test_b.py › test_c`; `TURN_REALM` is no test › at all |"
        let named = NamedTest.all(in: row)
        #expect(named == [NamedTest(file: "A.swift", name: "does it"), NamedTest(file: "test_b.py", name: "test_c")])
        #expect(named[0].exists(in: "@Test(\"does it\")") && !named[0].exists(in: "@Test(\"does it not\")"))
        #expect(named[1].exists(in: "def test_c(server):") && !named[1].exists(in: "def test_cd(server):"))
    }
}
