import CallStoreTestSupport
import Locking
import Testing

@testable import Postgres

@Suite("The pool of connections")
struct PostgresPoolTests {
    private static let processID = PostgresCommand(PostgresStatement("process", [], "SELECT pg_backend_pid()"))

    private static func pool(_ connections: Int = 1) throws -> PostgresPool {
        PostgresPool(url: try TestDatabase.server(), connections: connections)
    }

    private static func number(
        _ pool: PostgresPool,
        _ command: PostgresCommand = processID,
        isRepeatable: Bool = true
    ) async throws(PostgresFailure) -> Int64? {
        try await pool.use(isRepeatable: isRepeatable) { connection throws(PostgresFailure) in
            try connection.exchange([[command]], deadline: .now + .seconds(30))[0].get()[0].number(0, 0)
        }
    }

    private static func terminate(_ process: Int64?) async throws {
        let other = try pool()
        let end = PostgresStatement("terminate", [.bigint], "SELECT pg_terminate_backend($1::integer, 5000)::integer")
        let done = try await number(other, PostgresCommand(end) { $0.append(process) })
        #expect(done == 1)
        await other.close()
    }

    @Test("A connection is used again; one that the server ended meanwhile is replaced, and nobody hears of it")
    func replaced() async throws {
        let pool = try Self.pool()
        let first = try await Self.number(pool)
        #expect(try await Self.number(pool) == first)
        try await Self.terminate(first)
        // Not even a write does, since it has not been sent yet.
        let second = try await Self.number(pool, isRepeatable: false)
        #expect(second != first)
        await pool.close()
    }

    @Test("What changes nothing is done again if the connection broke under it; what does is not")
    func repeated() async throws {
        let pool = try Self.pool()
        let tries = Locked(0)
        let end = PostgresCommand(
            PostgresStatement("end", [], "SELECT pg_terminate_backend(pg_backend_pid())::integer")
        )
        let work: @Sendable (PostgresConnection) throws(PostgresFailure) -> Int64? = { connection in
            let isFirst = tries.withLock { tries in
                tries += 1
                return tries == 1
            }
            let command = isFirst ? end : Self.processID
            return try connection.exchange([[command]], deadline: .now + .seconds(30))[0].get()[0].number(0, 0)
        }
        await #expect(throws: PostgresFailure.lost(statement: "end")) { try await pool.use(isRepeatable: false, work) }
        tries.withLock { $0 = 0 }
        #expect(try await pool.use(isRepeatable: true, work) != nil)
        #expect(tries.withLock { $0 } == 2)
        await pool.close()
    }

    @Test("No more than so many at a time, and each by one at a time")
    func bounded() async throws {
        let pool = try Self.pool(2)
        let nap = PostgresCommand(PostgresStatement("nap", [], "SELECT pg_backend_pid() FROM pg_sleep(0.05)"))
        let processes = try await withThrowingTaskGroup(of: Int64?.self) { group in
            for _ in 0..<10 { group.addTask { try await Self.number(pool, nap) } }
            return try await group.reduce(into: Set<Int64?>()) { $0.insert($1) }
        }
        #expect(processes.count == 2)
        await pool.close()
    }

    @Test("After a failure everybody hears of it at once until it is time for another try")
    func backsOff() async throws {
        let pool = PostgresPool(url: "postgres://nobody@127.0.0.1:1/none", connections: 1)
        for _ in 0..<3 {
            do throws(PostgresFailure) {
                _ = try await Self.number(pool)
                Issue.record("connected")
            } catch {
                guard case .unreachable(let reason) = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(reason.contains("refused"))
            }
        }
        await pool.close()
    }

    @Test("After the end everything is refused")
    func closed() async throws {
        let pool = try Self.pool()
        _ = try await Self.number(pool)
        await pool.close()
        await #expect(throws: PostgresFailure.closed) { try await Self.number(pool) }
    }
}
