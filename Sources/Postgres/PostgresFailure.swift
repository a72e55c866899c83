/// Why the database did not do what it was asked. Names statements, never their values.
public enum PostgresFailure: Error, Hashable, Sendable {
    /// There is no connection; `reason` is libpq's, in one line.
    case unreachable(reason: String)
    /// The connection broke while the statement was under way: whether it was done is not known.
    case lost(statement: String)
    /// No answer came in time: whether it was done is not known.
    case timedOut(statement: String)
    /// The server refused it, and nothing of its transaction was done. `sqlState` is the five characters of appendix A.
    case refused(statement: String, sqlState: String)
    /// The server refused a script, which carries no values: `message` is what it said.
    case scriptRefused(statement: String, sqlState: String, message: String)
    /// So much waits for a connection already that waiting would bring nothing.
    case crowded
    /// The pool was closed.
    case closed
}

extension PostgresFailure {
    /// Whether a connection on which the server said this is good for nothing more: it shuts down (57P01 to 57P03), goes away
    /// (class 08), or became a standby that takes no writes (25006), which a new connection may find elsewhere.
    static func endsConnection(_ sqlState: String) -> Bool {
        sqlState.hasPrefix("08") || ["57P01", "57P02", "57P03", "57P05", "25006"].contains(sqlState)
    }
}
