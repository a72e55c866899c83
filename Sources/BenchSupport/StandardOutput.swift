import FoundationEssentials
import Glibc

/// Standard output, for whoever reads it through a pipe.
public enum StandardOutput {
    /// Has what was printed leave now.
    public static func flush() {
        // A null stream means all of them.
        _ = fflush(nil)
    }

    /// Prints a report as one JSON object, its members in the order of their names.
    public static func print(json report: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        Swift.print(String(decoding: try encoder.encode(report), as: UTF8.self))
    }
}
