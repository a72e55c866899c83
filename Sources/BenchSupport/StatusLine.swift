import Glibc

/// One line on standard error that says how far a run is: rewritten on a terminal, one below the other elsewhere.
public struct StatusLine: Sendable {
    private let isSilent: Bool
    private var isTerminal: Bool { isatty(STDERR_FILENO) != 0 }

    /// A line that is shown unless `isSilent`.
    public init(isSilent: Bool) { self.isSilent = isSilent }

    /// Shows `text` in place of what was shown before.
    public func show(_ text: String) {
        guard !isSilent else { return }
        write(isTerminal ? "\r\u{1B}[2K\(text)" : "\(text)\n")
    }

    /// Makes room for the closing table.
    public func clear() {
        guard !isSilent, isTerminal else { return }
        write("\r\u{1B}[2K")
    }

    private func write(_ text: String) {
        var text = text
        // SAFETY: the bytes outlive the call. A line that cannot be written is not missed.
        _ = text.withUTF8 { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
