/// What things cost on the machine of the benchmarks, to be read with care on any other.
enum MeasuredCosts {
    /// Processor seconds of nodes for a call between two of them: docs/benchmarks-databases.md.
    static let nodeSecondsPerCall = 10.5e-3
    /// The same of PostgreSQL.
    static let databaseSecondsPerCall = 7.8e-3
    /// The same of Redis, which has one thread for it.
    static let redisSecondsPerCall = 0.59e-3
    /// Changes of a call that are committed.
    static let changesPerCall = 50.0
    /// What a call that nobody answers costs of one that goes all its way: of these changes, six.
    static let unansweredShare = 0.12
    /// Bytes that a call brings to PostgreSQL's log: docs/benchmarks-databases.md.
    static let logBytesPerCall = 55e3
    /// Bytes that are kept of a call until it is pruned, with indexes.
    static let keptBytesPerCall = 14e3
    /// Bytes of resident memory for a connected client: docs/benchmarks-signaling.md.
    static let bytesPerSocket = 7.28 * 1024
    /// Clients whose calls are resumed in a second of one processor, when all come back at once: the same page.
    static let resumedPerSecond = 580.0
    /// Processor seconds to relay a datagram: docs/benchmarks.md, voice at 50,000/s.
    static let relaySecondsPerPacket = 11.5e-6
    /// Bytes of resident memory for an allocation, and of the kernel's for its socket: the same page.
    static let bytesPerAllocation = 1.4 * 1024 + 1.4 * 1024
    /// Processor seconds to set up an allocation: the same page.
    static let secondsPerAllocation = 100e-6
}

extension MeasuredCosts {
    /// All of it, for people.
    static var table: String {
        let rows: [(String, Double, Double, String)] = [
            ("a call, nodes", nodeSecondsPerCall, 1e-3, "ms of a processor"),
            ("a call, PostgreSQL", databaseSecondsPerCall, 1e-3, "ms of a processor"),
            ("a call, Redis", redisSecondsPerCall, 1e-3, "ms of a processor"),
            ("a call, changes", changesPerCall, 1, ""),
            ("a call, PostgreSQL's log", logBytesPerCall, 1e3, "kB"),
            ("a call, kept", keptBytesPerCall, 1e3, "kB"),
            ("a socket", bytesPerSocket, 1024, "KiB"),
            ("calls resumed", resumedPerSecond, 1, "1/s of a processor"),
            ("a relayed packet", relaySecondsPerPacket, 1e-6, "µs of a processor"),
            ("an allocation", bytesPerAllocation, 1024, "KiB"),
            ("an allocation set up", secondsPerAllocation, 1e-6, "µs of a processor"),
        ]
        return Form.table(["what", "costs", ""], rows.map { [$0.0, Form.number($0.1 / $0.2), $0.3] })
    }
}
