/// The closing table of a run: names on the left, what was found on the right.
public struct ReportTable {
    private var rows: [(name: String, text: String)] = []

    /// A table without rows.
    public init() {}

    /// Adds a row.
    public mutating func add(_ name: String, _ text: String) {
        rows.append((name, text))
    }

    /// The lines, each ending with a line feed.
    public var text: String {
        let width = rows.map(\.name.count).max() ?? 0
        return rows.map { row in
            row.name + String(repeating: " ", count: width - row.name.count + 2) + row.text + "\n"
        }.joined()
    }
}
