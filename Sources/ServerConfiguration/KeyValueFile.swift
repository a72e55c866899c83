/// The form of `.env` and of the `--config` file: one `KEY=VALUE` a line.
///
/// `#` begins a comment at the start of a line or after a blank. A value may stand in single or double quotes, which
/// then keep blanks and `#`; there are no escapes and no references to other variables.
public enum KeyValueFile {
    /// The settings in `text`, in order; a line that is neither a setting nor a comment is refused.
    public static func parse(_ text: String, path: String) throws(ConfigurationFailure) -> [Setting] {
        var settings: [Setting] = []
        for (index, rawLine) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            var line = trimmed(rawLine)
            if line.isEmpty || line.hasPrefix("#") { continue }
            let origin = Setting.Origin.file(path: path, line: index + 1)
            if line.hasPrefix("export ") { line = trimmed(line.dropFirst("export ".count)) }
            guard let equals = line.firstIndex(of: "="), equals != line.startIndex else {
                throw ConfigurationFailure("\(origin)", "expected KEY=VALUE")
            }
            let name = String(trimmed(line[..<equals]))
            guard let value = unquoted(trimmed(line[line.index(after: equals)...])) else {
                throw ConfigurationFailure("\(name) (\(origin))", "the closing quote is missing or not the last")
            }
            settings.append(Setting(name: name, value: value, origin: origin))
        }
        return settings
    }

    private static func unquoted(_ text: Substring) -> String? {
        if let quote = text.first, quote == "\"" || quote == "'" {
            let inside = text.dropFirst()
            guard let end = inside.firstIndex(of: quote) else { return nil }
            let rest = trimmed(inside[inside.index(after: end)...])
            return rest.isEmpty || rest.hasPrefix("#") ? String(inside[..<end]) : nil
        }
        var previousIsBlank = true
        for index in text.indices {
            if text[index] == "#", previousIsBlank { return String(trimmed(text[..<index])) }
            previousIsBlank = text[index].isWhitespace
        }
        return String(text)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        guard let first = text.firstIndex(where: { !$0.isWhitespace }),
            let last = text.lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return text[first...last]
    }
}
