/// A failure in one line.
public struct CleanFailure: Error, CustomStringConvertible {
    /// The line.
    public let description: String

    /// A failure that says `description`.
    public init(_ description: String) { self.description = description }
}
