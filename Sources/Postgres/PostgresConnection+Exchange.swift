import CPostgres
import Glibc

/// What came of a transaction: the rows of each of its commands.
public typealias PostgresOutcome = Result<[PostgresResult], PostgresFailure>

extension PostgresConnection {
    /// Runs transactions, each all or nothing by itself, and answers what came of each, in order.
    ///
    /// All are sent before the first answer is waited for, so that they cost one way there and back, and so that the server
    /// holds no lock for a client that was stopped in between.
    public func exchange(
        _ transactions: [[PostgresCommand]],
        deadline: ContinuousClock.Instant
    ) -> [PostgresOutcome] {
        var outcomes: [PostgresOutcome] = []
        do throws(PostgresFailure) {
            let new = try send(transactions, deadline)
            let refused = try receivePreparations(of: new, deadline)
            for transaction in transactions {
                outcomes.append(try receive(transaction, refused, deadline))
            }
        } catch {
            isUsable = false
            // Of what got no answer it is not known whether it was done.
            while outcomes.count < transactions.count { outcomes.append(.failure(error)) }
        }
        return outcomes
    }

    /// Sends everything; answers the statements that are prepared by it.
    private func send(
        _ transactions: [[PostgresCommand]],
        _ deadline: ContinuousClock.Instant
    ) throws(PostgresFailure) -> [PostgresStatement] {
        var new: [PostgresStatement] = []
        for command in transactions.joined() {
            let statement = command.statement
            if prepared.contains(statement.name) || new.contains(where: { $0.name == statement.name }) { continue }
            try prepare(statement)
            new.append(statement)
        }
        for transaction in transactions {
            for command in transaction { try send(command) }
            guard unsafe PQpipelineSync(handle) == 1 else { throw lost("commit") }
        }
        try flush(transactions.first?.first?.statement.name ?? "nothing", deadline)
        return new
    }

    private func prepare(_ statement: PostgresStatement) throws(PostgresFailure) {
        let types = statement.types.map(\.rawValue)
        // Each by itself: one that cannot be prepared must not take others along.
        guard
            unsafe PQsendPrepare(handle, statement.name, statement.sql, Int32(types.count), types) == 1,
            unsafe PQpipelineSync(handle) == 1
        else { throw lost(statement.name) }
    }

    private func send(_ command: PostgresCommand) throws(PostgresFailure) {
        let values = command.values
        let offsets = values.places.map { Int32($0?.lowerBound ?? -1) }
        let lengths = values.places.map { Int32($0?.count ?? 0) }
        let name = command.statement.name
        // libpq copies what it sends before it returns.
        guard unsafe cpostgres_send_prepared(handle, name, Int32(values.count), values.bytes, offsets, lengths) == 1
        else {
            throw lost(name)
        }
    }

    /// Answers which statements could not be prepared, and why.
    private func receivePreparations(
        of new: [PostgresStatement],
        _ deadline: ContinuousClock.Instant
    ) throws(PostgresFailure) -> [String: String] {
        var refused: [String: String] = [:]
        for statement in new {
            switch try receiveAnswer(statement.name, deadline) {
            case .result: prepared.insert(statement.name)
            case .refused(let sqlState): refused[statement.name] = sqlState
            case .skipped: throw lost(statement.name)
            }
            try receiveSync(statement.name, deadline)
        }
        return refused
    }

    private func receive(
        _ transaction: [PostgresCommand],
        _ refused: [String: String],
        _ deadline: ContinuousClock.Instant
    ) throws(PostgresFailure) -> PostgresOutcome {
        var results: [PostgresResult] = []
        var failure: PostgresFailure?
        var name = "nothing"
        for command in transaction {
            name = command.statement.name
            switch try receiveAnswer(name, deadline) {
            case .result(let result): results.append(result)
            case .skipped: break
            case .refused(let sqlState):
                // A plan that fits no more, or a name that somebody between us and the server forgot: a new connection helps.
                if refused[name] == nil, ["0A000", "26000"].contains(sqlState) { isUsable = false }
                failure = .refused(statement: name, sqlState: refused[name] ?? sqlState)
            }
        }
        try receiveSync(name, deadline)
        return failure.map { .failure($0) } ?? .success(results)
    }

    private enum Answer {
        case result(PostgresResult)
        case refused(sqlState: String)
        /// Not done, because something before it in its transaction was refused.
        case skipped
    }

    private func receiveAnswer(
        _ name: String,
        _ deadline: ContinuousClock.Instant
    ) throws(PostgresFailure) -> Answer {
        guard let handle = unsafe try nextResult(name, deadline) else { throw lost(name) }
        let result = unsafe PostgresResult(handle)
        let answer: Answer
        switch unsafe PQresultStatus(handle) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK: answer = .result(result)
        case PGRES_PIPELINE_ABORTED: answer = .skipped
        case PGRES_FATAL_ERROR:
            let sqlState = unsafe Self.sqlState(handle)
            // libpq makes up a result without one when the connection breaks.
            guard !sqlState.isEmpty else { throw lost(name) }
            if PostgresFailure.endsConnection(sqlState) { throw lost(name) }
            answer = .refused(sqlState: sqlState)
        default: throw lost(name)
        }
        // Nothing ends the answer to each command.
        guard unsafe try nextResult(name, deadline) == nil else { throw lost(name) }
        return answer
    }

    private func receiveSync(_ name: String, _ deadline: ContinuousClock.Instant) throws(PostgresFailure) {
        guard let result = unsafe try nextResult(name, deadline) else { throw lost(name) }
        defer { unsafe PQclear(result) }
        guard unsafe PQresultStatus(result) == PGRES_PIPELINE_SYNC else { throw lost(name) }
    }

    /// The next result as soon as it is there; nil where libpq says that an answer is complete.
    func nextResult(
        _ name: String,
        _ deadline: ContinuousClock.Instant
    ) throws(PostgresFailure) -> OpaquePointer? {
        while unsafe PQisBusy(handle) == 1 {
            guard wait(for: POLLIN, until: deadline) else { throw timedOut(name) }
            guard unsafe PQconsumeInput(handle) == 1 else { throw lost(name) }
        }
        return unsafe PQgetResult(handle)
    }

    /// Sends what libpq has kept back, and takes in what comes meanwhile: else both sides might wait for the other to read.
    func flush(_ name: String, _ deadline: ContinuousClock.Instant) throws(PostgresFailure) {
        while true {
            switch unsafe PQflush(handle) {
            case 0: return
            case 1: break
            default: throw lost(name)
            }
            guard wait(for: POLLIN | POLLOUT, until: deadline) else { throw timedOut(name) }
            guard unsafe PQconsumeInput(handle) == 1 else { throw lost(name) }
        }
    }

    static func sqlState(_ result: OpaquePointer) -> String {
        guard let state = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "C"))) else { return "" }
        return unsafe String(cString: state)
    }

    func lost(_ name: String) -> PostgresFailure {
        isUsable = false
        return .lost(statement: name)
    }

    private func timedOut(_ name: String) -> PostgresFailure {
        isUsable = false
        hasTimedOut = true
        return .timedOut(statement: name)
    }
}
