/// Something that an input showed to be wrong, short of a trap.
public struct FuzzFinding: Error, CustomStringConvertible {
    /// What was expected and what was seen.
    public let description: String
}

/// Ends the run of an input with a finding if `condition` is false.
func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws(FuzzFinding) {
    guard condition else { throw FuzzFinding(description: message()) }
}

/// The value, or a finding if there is none.
func unwrap<Value>(_ value: Value?, _ message: @autoclosure () -> String) throws(FuzzFinding) -> Value {
    guard let value else { throw FuzzFinding(description: message()) }
    return value
}
