import Locking
import NIOPosix

/// Connections to one database, each used by one of the pool's own threads at a time, so that nobody else waits for the
/// database. They are opened when they are needed, and again when they broke; after a failure everybody hears of it at once
/// until it is time for another try.
public final class PostgresPool: Sendable {
    /// Works that may wait for a thread; more are refused.
    public static let waitingLimit = 10_000
    /// For how long a work may wait for a thread before it is refused.
    public static let waitingTime = Duration.seconds(5)
    /// For how long one exchange may take. The server gives up on a statement a second before that, so that what takes longer
    /// shows that there is nobody to give up.
    public static let exchangeTime = Duration.seconds(5)

    /// A connection that nobody uses.
    // SAFETY: Sendable in spite of what is in it, because whoever takes it out of the list is the only one to have it.
    private struct Idle: @unchecked Sendable {
        let connection: PostgresConnection
    }

    private struct State {
        var idle: [Idle] = []
        var waiting = 0
        var backoff = Backoff()
        var lastReason = ""
        var isClosed = false
    }

    private let url: String
    private let threads: NIOThreadPool
    private let state = Locked(State())

    /// A pool of at most so many connections as `url` says. Opens none yet.
    public init(url: String, connections: Int) {
        self.url = url
        threads = NIOThreadPool(numberOfThreads: connections)
        threads.start()
    }

    /// Has `work` done on one of the pool's threads, with a connection or with why there is none.
    public func use(_ work: @escaping @Sendable (Result<PostgresConnection, PostgresFailure>) -> Void) {
        let refusal: PostgresFailure? = state.withLock { state in
            if state.isClosed { return .closed }
            if state.waiting >= Self.waitingLimit { return .crowded }
            state.waiting += 1
            return nil
        }
        if let refusal { return work(.failure(refusal)) }
        let deadline = ContinuousClock.now + Self.waitingTime
        threads.submit { [self] item in
            state.withLock { $0.waiting -= 1 }
            guard item == .active else { return work(.failure(.closed)) }
            guard .now < deadline else { return work(.failure(.crowded)) }
            do throws(PostgresFailure) {
                let connection = try take()
                work(.success(connection))
                giveBack(connection)
            } catch {
                work(.failure(error))
            }
        }
    }

    /// As the other one, for those who can wait. What changes nothing is done again if the first connection broke.
    public func use<Value: Sendable>(
        isRepeatable: Bool,
        _ work: @escaping @Sendable (PostgresConnection) throws(PostgresFailure) -> Value
    ) async throws(PostgresFailure) -> Value {
        let result = await withCheckedContinuation { continuation in
            use { result in continuation.resume(returning: Self.perform(work, result)) }
        }
        if isRepeatable, case .failure(.lost) = result {
            return try await use(isRepeatable: false, work)
        }
        return try result.get()
    }

    private static func perform<Value>(
        _ work: (PostgresConnection) throws(PostgresFailure) -> Value,
        _ result: Result<PostgresConnection, PostgresFailure>
    ) -> Result<Value, PostgresFailure> {
        do throws(PostgresFailure) {
            return .success(try work(result.get()))
        } catch {
            return .failure(error)
        }
    }

    /// Closes the connections after the works under way; those that wait for a thread are refused.
    public func close() async {
        state.withLock { $0.isClosed = true }
        await withCheckedContinuation { continuation in
            threads.shutdownGracefully { _ in continuation.resume() }
        }
        state.withLock { $0.idle = [] }
    }

    private func take() throws(PostgresFailure) -> PostgresConnection {
        while let idle = state.withLock({ $0.idle.popLast() }) {
            // A server that was restarted closed it; to find out costs next to nothing.
            if !idle.connection.isClosedByServer() { return idle.connection }
        }
        let held: String? = state.withLock { $0.backoff.mayTry(at: .now) ? nil : $0.lastReason }
        if let held { throw .unreachable(reason: held) }
        do throws(PostgresFailure) {
            let connection = try PostgresConnection(url: url)
            state.withLock { $0.backoff.succeeded() }
            return connection
        } catch {
            var reason = "it did not let us in in time"
            if case .unreachable(let words) = error { reason = words }
            failed(reason)
            throw error
        }
    }

    private func failed(_ reason: String) {
        state.withLock { state in
            var generator = SystemRandomNumberGenerator()
            state.backoff.failed(at: .now, using: &generator)
            state.lastReason = reason
        }
    }

    private func giveBack(_ connection: PostgresConnection) {
        if connection.hasTimedOut {
            // Whoever comes next must not wait as long for another connection to the same.
            state.withLock { $0.idle = [] }
            failed("it does not answer")
        }
        guard connection.isUsable else { return }
        let idle = Idle(connection: connection)
        state.withLock { state in
            if !state.isClosed { state.idle.append(idle) }
        }
    }
}
