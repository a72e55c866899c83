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
    }

    /// The text of every document, by its path.
    private static func documents() throws -> [String: String] {
        var texts = try SourceTree.texts(below: "docs", extensions: ["md"])
        for (name, text) in try SourceTree.texts(below: "examples", extensions: ["md"]) {
            texts[name, default: []] += text
        }
        let readme = SourceTree.root.appendingPathComponent("README.md")
        texts["README.md", default: []].append(try String(contentsOf: readme, encoding: .utf8))
        return texts.mapValues { $0.joined(separator: "\n") }
    }

    @Test("every test that a document names exists and runs, and so does every file of tests")
    func namedTestsExist() throws {
        let sources = try SourceTree.texts(below: "Tests", extensions: ["swift", "py"])
        var namesByFile: [String: Set<String>] = [:]
        for (file, texts) in sources {
            namesByFile[file] = texts.reduce(into: []) { $0.formUnion(TestNames.all(in: $1, file: file)) }
        }
        let testFile = #/\b(?:[A-Za-z0-9]+Tests\.swift|test_\w+\.py)/#.wordBoundaryKind(.simple)
        let documents = try Self.documents()
        for (document, least) in ["rfc-support.md": 250, "security.md": 40, "relay-features.md": 0, "testing.md": 0] {
            let text = try #require(documents[document], "docs/\(document) is gone")
            #expect(NamedTest.all(in: text).count >= least, "\(document)")
        }
        for (document, text) in documents {
            for test in NamedTest.all(in: text) {
                let exists = namesByFile[test.file]?.contains(test.name) ?? false
                #expect(exists, "\(document): no test \"\(test.name)\" runs in a file \(test.file) below Tests")
            }
            let files = text.matches(of: testFile).map { String($0.output) }
            for file in files {
                #expect(sources[file] != nil, "\(document): no file \(file) below Tests")
            }
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
    }

    @Test("a title counts where a test has it, not in a comment, another string, or a test that is switched off")
    func titlesAreRead() {
        let swift = #"""
            @Test("runs")
            @Test(
                "runs with arguments, \"quoted\"",
                arguments: [1], ["not a title"]
            )
            func a() { _ = "not a title" }
            // @Test("commented out")
                /* @Test("also")
                */
            #if false
            @Test("compiled out")
            #endif
            @Test("switched off", .disabled("why"))
            func b() {}
            @Test("runs where it can", .enabled(if: true))
            func c() { take(".disabled(") }
            """#
        let titles = TestNames.all(in: swift, file: "ATests.swift")
        #expect(titles == ["runs", #"runs with arguments, \"quoted\""#, "runs where it can"])
        #expect(TestNames.all(in: "@Suite(\"A\", .disabled())\nstruct A {\n" + swift, file: "ATests.swift").isEmpty)
        let python = """
            def test_runs(server):
                pass

            # def test_commented_out(server):
            @pytest.mark.skipif(sys.platform == "win32", reason="")
            async def test_runs_where_it_can():
                pass

            @pytest.mark.parametrize("one", [1])
            @pytest.mark.skip(reason="")
            def test_switched_off(): ...

            @pytest.mark.xfail
            def test_may_fail(): ...

            def helper_test_x(): ...
            """
        #expect(TestNames.all(in: python, file: "test_a.py") == ["test_runs", "test_runs_where_it_can"])
        #expect(TestNames.all(in: "pytestmark = pytest.mark.skip()\n" + python, file: "test_a.py").isEmpty)
    }
}
