import BenchSupport

/// The status line, for those who have more to say than anybody reads.
final class PacedStatus {
    private static let intervalNanoseconds: UInt64 = 500_000_000

    private let line: StatusLine
    private var lastShown: UInt64 = 0

    init(isSilent: Bool) { line = StatusLine(isSilent: isSilent) }

    /// Shows `text`, unless it is not urgent and another was shown just before.
    func show(_ text: String, isUrgent: Bool) {
        let now = ProcessFigures.clockNanoseconds()
        guard isUrgent || now - lastShown > Self.intervalNanoseconds else { return }
        lastShown = now
        line.show(text)
    }

    /// Makes room for the closing table.
    func clear() { line.clear() }
}
