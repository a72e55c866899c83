/// What is logged, and in which form.
public struct LogSettings: Sendable {
    /// The lowest severity that is written.
    public enum Level: String, CaseIterable, Sendable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// The form of a line.
    public enum Format: String, Sendable {
        case text, json
    }

    /// The lowest severity that is written.
    public let level: Level
    /// The form of a line.
    public let format: Format

    init(_ reader: SettingReader) throws(ConfigurationFailure) {
        level = try reader.required(.logLevel, "trace, debug, info, notice, warning, error or critical") { text in
            Level(rawValue: text.lowercased())
        }
        format = try reader.required(.logFormat, "text or json", Format.init(rawValue:))
    }
}
