import CallStoreTestSupport
import Glibc
import Testing

@testable import Postgres

@Suite("Connections to a real PostgreSQL")
struct PostgresConnectionTests {
    private static func connection() throws -> PostgresConnection {
        try PostgresConnection(url: TestDatabase.server())
    }

    private static var soon: ContinuousClock.Instant { .now + .seconds(30) }

    @Test("Values go there and come back as they were: empty ones, NULLs, and those that text would have to escape")
    func values() throws {
        let texts: [String?] = ["", nil, "plain", #"{"a":"\\,'"}"#, "é\u{1F600}\n\t$1;--", "NULL", "{}"]
        let numbers: [Int64?] = [0, -1, nil, .max, .min, 256]
        let echo = PostgresStatement(
            "echo",
            [.texts, .bigints, .booleans, .text, .bigint, .boolean],
            """
            SELECT t.text, t.number, t.truth, $4, $5, $6, t.number::integer % 7, cardinality($1)
            FROM unnest($1, $2, $3) WITH ORDINALITY AS t (text, number, truth, place) ORDER BY place
            """
        )
        let small: [Int64?] = numbers.map { $0.map { $0 % 1_000 } }
        let command = PostgresCommand(echo) {
            $0.append(texts: texts) { $0 }
            $0.append(numbers: small) { $0 }
            $0.append(booleans: [true, false]) { $0 }
            $0.append("é")
            $0.append(Int64.min)
            $0.append(true)
        }
        let rows = try Self.connection().exchange([[command]], deadline: Self.soon)[0].get()[0]
        #expect(rows.rowCount == texts.count)
        for (row, text) in texts.enumerated() {
            #expect(rows.text(row, 0) == text)
            #expect(rows.number(row, 1) == (row < small.count ? small[row] : nil))
            #expect(rows.boolean(row, 2) == (row < 2 ? row == 0 : nil))
            #expect(rows.text(row, 3) == "é" && rows.number(row, 4) == .min && rows.boolean(row, 5) == true)
            #expect(rows.number(row, 6) == (row < small.count ? small[row].map { $0 % 7 } : nil))
        }
        #expect(rows.number(0, 7) == Int64(texts.count))
        let none = PostgresCommand(PostgresStatement("none", [.texts], "SELECT cardinality($1)")) {
            $0.append(texts: [String]()) { $0 }
        }
        #expect(try Self.connection().exchange([[none]], deadline: Self.soon)[0].get()[0].number(0, 0) == 0)
    }

    @Test("A NUL in a text is refused, and does not end it early")
    func null() throws {
        let command = PostgresCommand(PostgresStatement("text", [.text], "SELECT $1")) { $0.append("a\u{0}b") }
        let connection = try Self.connection()
        #expect(throws: PostgresFailure.refused(statement: "text", sqlState: "22021")) {
            try connection.exchange([[command]], deadline: Self.soon)[0].get()
        }
        #expect(connection.isUsable)
    }

    @Test("Each transaction is all or nothing by itself, whatever comes of the others")
    func transactions() throws {
        let connection = try Self.connection()
        try connection.run(script: "CREATE TEMPORARY TABLE t (n bigint PRIMARY KEY)", name: "make", deadline: Self.soon)
        let insert = PostgresStatement("insert", [.bigint], "INSERT INTO t VALUES ($1) RETURNING n")
        let count = PostgresStatement("count", [], "SELECT count(*) FROM t")
        let broken = PostgresStatement("broken", [], "SELECT nothing FROM t")
        let put = { (number: Int64) in PostgresCommand(insert) { $0.append(number) } }
        let outcomes = connection.exchange(
            [
                [put(1), put(2)], [put(3), put(1), put(4)], [put(5)], [put(6), PostgresCommand(broken)],
                [PostgresCommand(count)],
            ],
            deadline: Self.soon
        )
        #expect(try outcomes[0].get().map { $0.number(0, 0) } == [1, 2])
        #expect(throws: PostgresFailure.refused(statement: "insert", sqlState: "23505")) { try outcomes[1].get() }
        #expect(try outcomes[2].get().count == 1)
        #expect(throws: PostgresFailure.refused(statement: "broken", sqlState: "42703")) { try outcomes[3].get() }
        #expect(try outcomes[4].get()[0].number(0, 0) == 3)
        #expect(connection.isUsable)
    }

    @Test("Much goes both ways at once without a deadlock")
    func large() throws {
        let echo = PostgresStatement("echo", [.text], "SELECT repeat($1, 2)")
        let text = String(repeating: "x", count: 100_000)
        let command = PostgresCommand(echo) { $0.append(text) }
        let outcomes = try Self.connection().exchange(
            (0..<10).map { _ in (0..<20).map { _ in command } },
            deadline: Self.soon
        )
        for outcome in outcomes {
            #expect(try outcome.get().allSatisfy { $0.text(0, 0)?.utf8.count == 200_000 })
        }
    }

    @Test("What takes too long is given up, and the connection with it; what was done before stays known")
    func deadline() throws {
        let connection = try Self.connection()
        let sleep = PostgresCommand(PostgresStatement("sleep", [], "SELECT pg_sleep(3)"))
        let quick = PostgresCommand(PostgresStatement("quick", [], "SELECT 1"))
        let outcomes = connection.exchange([[quick], [sleep], [quick]], deadline: .now + .milliseconds(300))
        #expect(try outcomes[0].get().count == 1)
        for outcome in outcomes.dropFirst() {
            #expect(throws: PostgresFailure.timedOut(statement: "sleep")) { try outcome.get() }
        }
        #expect(!connection.isUsable)
    }

    @Test("The server gives up on a statement by itself before the time of an exchange is over")
    func session() throws {
        let settings = ["statement_timeout", "lock_timeout", "default_transaction_isolation", "client_encoding"]
        let connection = try Self.connection()
        let values = try settings.map { name in
            let show = PostgresStatement("show \(name)", [.text], "SELECT current_setting($1)")
            let command = PostgresCommand(show) { $0.append(name) }
            return try connection.exchange([[command]], deadline: Self.soon)[0].get()[0].text(0, 0)
        }
        #expect(values == ["4s", "2s", "read committed", "UTF8"])
        #expect(PostgresPool.exchangeTime == .seconds(5))
    }

    @Test("A connection that the server ends is lost, not refused")
    func terminated() throws {
        let connection = try Self.connection()
        let end = PostgresCommand(PostgresStatement("end", [], "SELECT pg_terminate_backend(pg_backend_pid())"))
        let quick = PostgresCommand(PostgresStatement("quick", [], "SELECT 1"))
        let outcomes = connection.exchange([[quick], [end], [quick]], deadline: Self.soon)
        #expect(try outcomes[0].get().count == 1)
        #expect(throws: PostgresFailure.lost(statement: "end")) { try outcomes[1].get() }
        #expect(!connection.isUsable)
        #expect(throws: PostgresFailure.self) { try connection.exchange([[quick]], deadline: Self.soon)[0].get() }
    }

    @Test("Where nobody listens, and where the role is unknown, libpq says so in one line")
    func unreachable() throws {
        for url in [
            "postgres://nobody@127.0.0.1:1/none",
            try TestDatabase.server().replacing("enterprise_user@", with: "nobody@"),
        ] {
            do throws(PostgresFailure) {
                _ = try PostgresConnection(url: url)
                Issue.record("connected")
            } catch {
                guard case .unreachable(let reason) = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(reason.contains("failed") && !reason.contains("\n"))
            }
        }
    }
}
