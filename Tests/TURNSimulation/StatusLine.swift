import Glibc

/// One line on standard error that says how far the simulations are: rewritten on a terminal, one below the other elsewhere.
final class StatusLine {
    private static let intervalNanoseconds: UInt64 = 500_000_000

    private let isSilent: Bool
    private let isTerminal = isatty(STDERR_FILENO) != 0
    private var lastShown: UInt64 = 0

    init(isSilent: Bool) { self.isSilent = isSilent }

    /// Shows `text`, unless it is not urgent and another was shown just before.
    func show(_ text: String, isUrgent: Bool) {
        guard !isSilent else { return }
        let now = ProcessFigures.clockNanoseconds()
        guard isUrgent || now - lastShown > Self.intervalNanoseconds else { return }
        lastShown = now
        write(isTerminal ? "\r\u{1B}[2K\(text)" : "\(text)\n")
    }

    /// Makes room for the closing table.
    func clear() {
        guard !isSilent, isTerminal else { return }
        write("\r\u{1B}[2K")
    }

    private func write(_ text: String) {
        var text = text
        // SAFETY: the bytes outlive the call. A line that cannot be written is not missed.
        _ = text.withUTF8 { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
