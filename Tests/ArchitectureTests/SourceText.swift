import Foundation

/// Reads Swift source line by line, as far as these tests need: no parser, so strings and comments are handled only
/// where a rule would otherwise misfire.
enum SourceText {
    /// The modules a file imports, submodules cut to their module.
    static func imports(in source: String) -> [String] {
        source.split(separator: "\n", omittingEmptySubsequences: false).compactMap { line in
            let words = code(of: line).split(separator: " ").map(String.init)
            guard let at = words.firstIndex(of: "import") else { return nil }
            let allowedBefore: Set = [
                "public", "package", "internal", "private", "fileprivate", "@testable", "@preconcurrency",
            ]
            guard words[..<at].allSatisfy({ allowedBefore.contains($0) || $0.hasPrefix("@") }) else { return nil }
            let kinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
            let name = words[(at + 1)...].first { !kinds.contains($0) }
            return name.flatMap { $0.split(separator: ".").first.map(String.init) }
        }
    }

    /// A line without its line comment. Source with `//` inside a string literal loses the rest of that line.
    static func code(of line: Substring) -> String {
        guard let comment = line.range(of: "//") else { return String(line) }
        return String(line[..<comment.lowerBound])
    }

    /// Whether a word stands in a text and not at the end of a longer name: `print(`, not `fingerprint(`.
    private static func contains(_ word: String, in text: String) -> Bool {
        text.ranges(of: word).contains { range in
            guard word.first?.isLetter == true, range.lowerBound > text.startIndex else { return true }
            let before = text[text.index(before: range.lowerBound)]
            return !before.isLetter && !before.isNumber && before != "_"
        }
    }

    /// Words of the banned list that stand in a file's code, with their line numbers.
    static func occurrences(of banned: [String], in source: String) -> [String] {
        var found: [String] = []
        for (index, line) in source.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let text = code(of: line)
            for word in banned where contains(word, in: text) {
                found.append("line \(index + 1): \(word)")
            }
        }
        return found
    }
}
