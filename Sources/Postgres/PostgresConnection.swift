import CPostgres
import Glibc

// SAFETY: @safe because the handle is valid for as long as the object lives, and never leaves it.
/// One connection, for one thread at a time. Waits at most until a deadline for what it is asked, and is good for nothing
/// more once `isUsable` is false.
@safe
public final class PostgresConnection {
    let handle: OpaquePointer
    /// Names of the statements that this connection knows.
    var prepared: Set<String> = []
    /// Whether it can be asked again.
    public internal(set) var isUsable = true
    /// Whether the server gave no sign of life for as long as an exchange may take.
    var hasTimedOut = false

    /// Seconds for which a host may take to let us in, unless the URL or `PGCONNECT_TIMEOUT` says otherwise.
    private static let connectTimeout = "5"

    /// What this client relies on, whatever the server's own defaults are: each statement sees what was committed before it,
    /// none holds up others for long, even if we are gone, and what is acknowledged is on the disk. Plans of short statements are
    /// not worth compiling.
    private static let session = """
        SET default_transaction_isolation = 'read committed';
        SET statement_timeout = 4000;
        SET lock_timeout = 2000;
        SET idle_in_transaction_session_timeout = 10000;
        SET client_min_messages = 'warning';
        SET jit = off;
        SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
        """

    /// Opens a connection as `url` says, in libpq's form with all of its settings; the environment's `PG…` stand in for
    /// what it leaves out. Takes at most the connection timeout for each of the URL's hosts.
    init(url: String) throws(PostgresFailure) {
        var settings = [
            // Ahead of the URL, which has the last word.
            ("connect_timeout", Self.connectTimeout), ("fallback_application_name", "callrelay"), ("dbname", url),
            ("client_encoding", "UTF8"),
        ]
        if unsafe getenv("PGCONNECT_TIMEOUT") != nil { settings.removeFirst() }
        let handle = unsafe Self.connect(settings)
        guard let handle = unsafe handle else { throw .unreachable(reason: "out of memory") }
        guard unsafe PQstatus(handle) == CONNECTION_OK else {
            let reason = unsafe Self.line(PQerrorMessage(handle))
            unsafe PQfinish(handle)
            throw .unreachable(reason: reason)
        }
        unsafe self.handle = handle
        // Else libpq writes what the server remarks to standard error.
        unsafe PQsetNoticeProcessor(handle, { _, _ in }, nil)
        unsafe PQsetnonblocking(handle, 1)
        unsafe PQenterPipelineMode(handle)
        try run(script: Self.session, name: "set up connection", deadline: .now + .seconds(5))
    }

    deinit { unsafe PQfinish(handle) }

    private static func connect(_ settings: [(keyword: String, value: String)]) -> OpaquePointer? {
        // Copies that libpq reads during the call, and that are freed after it.
        var keywords: [UnsafeMutablePointer<CChar>?] = unsafe settings.map { unsafe strdup($0.keyword) }
        var values: [UnsafeMutablePointer<CChar>?] = unsafe settings.map { unsafe strdup($0.value) }
        unsafe keywords.append(nil)
        unsafe values.append(nil)
        defer { unsafe (keywords + values).forEach { unsafe free($0) } }
        return unsafe PQconnectdbParams(
            unsafe keywords.map { unsafe UnsafePointer($0) },
            unsafe values.map { unsafe UnsafePointer($0) },
            1
        )
    }

    /// Whether the other side closed the connection while nobody used it, or has yet to be asked to find out. Does not wait.
    func isClosedByServer() -> Bool {
        var entry = unsafe pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        // The server may have said why before it closed the connection; the end is what comes last.
        while unsafe poll(&entry, 1, 0) != 0 {
            guard unsafe PQconsumeInput(handle) == 1 else { return true }
        }
        return unsafe PQstatus(handle) != CONNECTION_OK
    }

    /// Has it closed after this use: it was set up for something else than what others expect.
    public func retire() { isUsable = false }

    /// Waits until the socket is ready for one of `events`, or answers false at the deadline.
    func wait(for events: Int32, until deadline: ContinuousClock.Instant) -> Bool {
        while true {
            let left = (deadline - .now).components
            let milliseconds = left.seconds * 1_000 + left.attoseconds / 1_000_000_000_000_000
            guard milliseconds >= 0 else { return false }
            var entry = unsafe pollfd(fd: PQsocket(handle), events: Int16(events), revents: 0)
            let ready = unsafe poll(&entry, 1, Int32(clamping: milliseconds + 1))
            if ready > 0 { return true }
            // Whatever else went wrong will show when the socket is read.
            if ready < 0, errno != EINTR { return true }
        }
    }

    /// libpq's message without its line ends.
    static func line(_ message: UnsafePointer<CChar>?) -> String {
        guard let message = unsafe message else { return "no reason given" }
        let lines = unsafe String(cString: message).split(whereSeparator: \.isNewline)
        return lines.map { $0.trimmingPrefix(while: \.isWhitespace) }.joined(separator: "; ")
    }
}

extension PostgresConnection {
    /// Runs statements without values, one after the other, as `psql -f` does: each by itself unless they say BEGIN.
    public func run(script: String, name: String, deadline: ContinuousClock.Instant) throws(PostgresFailure) {
        let isSent = unsafe PQexitPipelineMode(handle) == 1 && PQsendQuery(handle, script) == 1
        guard isSent else { throw lost(name) }
        var refusal: PostgresFailure?
        try flush(name, deadline)
        while let result = unsafe try nextResult(name, deadline) {
            defer { unsafe PQclear(result) }
            if unsafe PQresultStatus(result) == PGRES_FATAL_ERROR, refusal == nil {
                refusal = unsafe .scriptRefused(
                    statement: name,
                    sqlState: Self.sqlState(result),
                    message: Self.line(PQresultErrorField(result, Int32(UInt8(ascii: "M"))))
                )
            }
        }
        if let refusal {
            // A transaction that the script began may be open still.
            isUsable = false
            throw refusal
        }
        guard unsafe PQenterPipelineMode(handle) == 1 else { throw lost(name) }
    }
}
