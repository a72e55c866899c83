/// What a load found: members for machines, a table for people.
public protocol BenchReport: Encodable {
    /// The closing table.
    var table: String { get }
    /// Why the run says nothing; empty if it does.
    var void: [String] { get }
}

extension BenchReport {
    /// Nothing that could make the run say nothing.
    public var void: [String] { [] }
}
