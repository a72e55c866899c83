import Foundation
import Logging
import ServerConfiguration
import SocketIO

/// Writes each log event as one line on standard error, as text or as JSON.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: LogSettings.Format

    init(label: String, settings: LogSettings) {
        self.label = label
        logLevel = Logger.Level(rawValue: settings.level.rawValue) ?? .info
        format = settings.format
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        let pairs = all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        let time = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        let line =
            switch format {
            case .text: Self.text(time, event.level, label, "\(event.message)", pairs)
            case .json: Self.json(time, event.level, label, "\(event.message)", pairs)
            }
        StandardStream.error.write(line + "\n")
    }

    static func text(
        _ time: String,
        _ level: Logger.Level,
        _ label: String,
        _ message: String,
        _ metadata: [(String, String)]
    ) -> String {
        let pairs = metadata.map { " \($0.0)=\(oneLine($0.1))" }.joined()
        return "\(time) \(level.rawValue) \(label): \(oneLine(message))\(pairs)"
    }

    static func json(
        _ time: String,
        _ level: Logger.Level,
        _ label: String,
        _ message: String,
        _ metadata: [(String, String)]
    ) -> String {
        let head: [(String, JSONText?)] = [
            ("time", .string(time)), ("level", .string(level.rawValue)), ("logger", .string(label)),
            ("message", .string(message)),
        ]
        return JSONText.object(head + metadata.map { ($0.0, .string($0.1)) }).text
    }

    /// What came from outside must not look like a line of its own.
    private static func oneLine(_ text: String) -> String {
        guard text.contains(where: { $0.isNewline || $0 == "\0" || $0 == "\u{1B}" }) else { return text }
        return String(text.map { $0.isNewline || $0 == "\0" || $0 == "\u{1B}" ? "�" : $0 })
    }
}
