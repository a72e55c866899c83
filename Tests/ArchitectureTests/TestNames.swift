import Foundation

/// The names under which the tests of a source file run: titles in Swift, functions in Python.
enum TestNames {
    /// The names in `source`, the text of `file`. What is commented out, compiled out or switched off for good is none.
    static func all(in source: String, file: String) -> Set<String> {
        file.hasSuffix(".py") ? pythonFunctions(source) : swiftTitles(source)
    }

    private static func swiftTitles(_ source: String) -> Set<String> {
        let code = withoutComments(source)
        let suites = code.components(separatedBy: "@Suite(").dropFirst()
        guard !suites.contains(where: { isDisabled($0.prefix { $0 != "{" }) }) else { return [] }
        var titles: Set<String> = []
        for attribute in code.components(separatedBy: "@Test(").dropFirst() {
            let text = attribute.drop { $0.isWhitespace }
            guard text.first == "\"", let title = literal(text.dropFirst()) else { continue }
            let head = text.range(of: "func ").map { text[..<$0.lowerBound] } ?? text
            if !isDisabled(head) { titles.insert(title) }
        }
        return titles
    }

    private static func isDisabled(_ attribute: Substring) -> Bool { attribute.contains(".disabled(") }

    /// A string literal's text up to its closing quotation mark, as it stands in the source.
    private static func literal(_ text: Substring) -> String? {
        var isEscaped = false
        for index in text.indices {
            if text[index] == "\"", !isEscaped { return String(text[..<index]) }
            isEscaped = text[index] == "\\" && !isEscaped
        }
        return nil
    }

    /// The source without lines that are comments or stand behind `#if false`.
    private static func withoutComments(_ source: String) -> String {
        var end: String?
        var lines: [Substring] = []
        for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
            let text = line.trimmingCharacters(in: .whitespaces)
            if let wanted = end {
                if text.contains(wanted) { end = nil }
            } else if text.hasPrefix("/*") {
                if !text.contains("*/") { end = "*/" }
            } else if text == "#if false" {
                end = "#endif"
            } else if !text.hasPrefix("//") {
                lines.append(line)
            }
        }
        return lines.joined(separator: "\n")
    }

    private static func pythonFunctions(_ source: String) -> Set<String> {
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        guard !lines.contains(where: { $0.hasPrefix("pytestmark") && isSkipped($0) }) else { return [] }
        var names: Set<String> = []
        for (index, line) in lines.enumerated() {
            guard let found = line.prefixMatch(of: #/\s*(?:async )?def (test_\w+)\(/#) else { continue }
            let decorators = lines[..<index].reversed().prefix { !$0.allSatisfy(\.isWhitespace) }
            if !decorators.contains(where: isSkipped) { names.insert(String(found.1)) }
        }
        return names
    }

    /// Whether a line of decorators keeps a test from running wherever it is tried, or lets it fail.
    private static func isSkipped(_ line: Substring) -> Bool {
        line.contains(#/\bmark\.(?:skip|xfail)\b/#.wordBoundaryKind(.simple))
    }
}
