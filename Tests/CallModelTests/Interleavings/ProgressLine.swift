import Foundation

/// How far a long run is, on standard error: one line that changes on a terminal, twenty lines elsewhere.
struct ProgressLine {
    let name: String
    let total: Int
    private let began = ContinuousClock.now
    private let isTerminal = isatty(STDERR_FILENO) == 1

    init(name: String, total: Int) {
        self.name = name
        self.total = total
    }

    func show(_ done: Int) {
        guard total >= 1000, done % max(1, total / (isTerminal ? 200 : 20)) == 0 || done == total else { return }
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        let left = Int(seconds / Double(done) * Double(total - done))
        let line = "\(name): \(done) of \(total), \(Int(seconds)) s, about \(left) s left"
        let end = isTerminal && done < total ? "\u{1B}[K\r" : "\n"
        FileHandle.standardError.write(Data((line + end).utf8))
    }
}
