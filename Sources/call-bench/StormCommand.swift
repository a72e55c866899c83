import ArgumentParser
import BenchCore
import BenchSupport
import CallBench
import NIOPosix
import NetPrimitives

/// `call-bench storm`: everybody comes back at once.
struct StormCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "storm",
        abstract:
            "Cut off many clients in calls at once, have them come back at once, and see that they missed nothing.",
        discussion: """
            Two clients a call. Each sends some candidates, then all connections are cut; while they are away each sends \
            some more by REST; then all connect at the same moment and join with afterSeq. Every client must hear every \
            candidate of the other side once and in order. CALL_RECONNECT_GRACE of the server has to be longer than the \
            time away.
            """
    )

    @OptionGroup var common: CommonOptions

    @Option(help: "Clients, two a call.")
    var connections = 5_000

    @Option(help: "Candidates that each client sends before the connections are cut.")
    var before = 3

    @Option(help: "Candidates that each client sends by REST while it is away.")
    var away = 2

    @Option(help: "Seconds after which a client gives up.")
    var patience = 60.0

    func validate() throws {
        guard (2...60_000).contains(connections), connections.isMultiple(of: 2) else {
            throw ValidationError("--connections must be an even number from 2 to 60000")
        }
        guard (0...1_000).contains(before), (0...300).contains(away) else {
            throw ValidationError("--before must be 0 to 1000, --away 0 to 300")
        }
        guard patience > 0, patience <= 3_600 else {
            throw ValidationError("--patience must be above 0 and at most 3600")
        }
    }

    func run() async throws {
        try await common.report(measure)
    }

    private func measure(_ context: BenchContext) async throws -> StormReport {
        let clients = try await join(context)
        let sent = UInt64(before)
        _ = try await Crowd.gather(clients.count, atATime: 128, status: context.status, saying: "sent before") {
            try await clients[$0].send(0..<sent)
        }
        try await Task.sleep(for: .milliseconds(500))
        for client in clients { client.cut() }
        context.status.show("all connections cut")
        try await Task.sleep(for: .seconds(1))
        let last = sent + UInt64(away)
        _ = try await Crowd.gather(clients.count, atATime: 64, status: context.status, saying: "sent while away") {
            index in
            for number in sent..<last {
                let stamp = SignalStamp(number: number, due: EventLoad.now())
                try await context.api.candidate(stamp.candidate, in: clients[index].callID, by: clients[index].user)
            }
        }
        return try await comeBack(context, clients, expectedEach: last)
    }

    private func join(_ context: BenchContext) async throws -> [StormClient] {
        let loop = context.group.next()
        let pairs = try await Crowd.gather(connections / 2, atATime: 32, status: context.status, saying: "calls joined")
        {
            try await CallPair.join(context, number: $0)
        }
        var clients: [StormClient] = []
        for pair in pairs {
            let caller = StormClient(user: pair.callerUser, callID: pair.callID, loop: loop)
            let callee = StormClient(user: pair.calleeUser, callID: pair.callID, loop: loop)
            try await caller.listen(pair.caller, answer: pair.callerAnswer)
            try await callee.listen(pair.callee, answer: pair.calleeAnswer)
            clients += [caller, callee]
        }
        return clients
    }

    private func comeBack(
        _ context: BenchContext,
        _ clients: [StormClient],
        expectedEach: UInt64
    ) async throws -> StormReport {
        let used = context.processorTime().server
        let start = EventLoad.now()
        let deadline = start.advanced(bySeconds: patience)
        var latency = LatencyRecorder()
        var failed = 0
        var retries = 0
        await withTaskGroup(of: (Int?, Instant).self) { group in
            for client in clients {
                group.addTask {
                    let retries = try? await client.comeBack(context, until: deadline)
                    return (retries, EventLoad.now())
                }
            }
            for await (tries, at) in group {
                if let tries {
                    retries += tries
                    latency.record(nanoseconds: at.nanoseconds - start.nanoseconds)
                    if latency.count.isMultiple(of: 250) { context.status.show("\(latency.count) resumed") }
                } else {
                    failed += 1
                }
            }
        }
        let seconds = Double(EventLoad.now().nanoseconds - start.nanoseconds) / 1e9
        let after = context.processorTime().server
        try await Task.sleep(for: .seconds(1))
        var ledgers: [SignalLedger] = []
        for client in clients { ledgers.append(try await client.ledger()) }
        return StormReport(
            target: context.server.base,
            connections: connections,
            failed: failed,
            retries: retries,
            seconds: seconds,
            latency: latency,
            expectedEach: expectedEach,
            ledgers: ledgers,
            server: context.serverFigures(
                nanoseconds: after - used,
                seconds: seconds,
                count: UInt64(connections)
            )
        )
    }
}
