import Foundation

/// Standard output and standard error, unbuffered, so that a line is seen when it is written and lines do not mix.
struct StandardStream: Sendable {
    static let output = StandardStream(handle: .standardOutput)
    static let error = StandardStream(handle: .standardError)

    private let handle: FileHandle

    /// Writes `text` in one piece. Whoever closed the stream does not want it, so a failure is passed over.
    func write(_ text: String) {
        do {
            try handle.write(contentsOf: Data(text.utf8))
        } catch {
            return
        }
    }
}
