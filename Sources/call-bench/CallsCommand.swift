import ArgumentParser
import BenchCore
import BenchSupport
import CallBench
import Locking
import NetPrimitives

/// `call-bench calls`: whole calls.
struct CallsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calls",
        abstract:
            "Play whole calls: initiate, ring, answer, join, offer, answer, 20 candidates each way, toggles, end.",
        discussion: """
            Calls are placed by the clock, whatever became of those before; their times count from when they were due. \
            Every event is waited for at the other side, in order. A call that is due while every pair of users is in one \
            is not placed, and counted: more --pairs, or a lower --rate.
            """
    )

    @OptionGroup var common: CommonOptions
    @OptionGroup var timing: TimingOptions

    @Option(help: "Calls a second.")
    var rate = 20.0

    @Option(help: "Pairs of users, each with its two sockets.")
    var pairs = 200

    @Option(
        help: ArgumentHelp(
            "Another node of the same cluster for those who are called; by default the same server.",
            valueName: "http://host:port"
        )
    )
    var calleeURL: String?

    @Option(
        name: .customLong("other-pid"),
        parsing: .singleValue,
        help: "A further process to look at with its children, such as a node or a database. May be repeated."
    )
    var otherProcesses: [Int] = []

    func validate() throws {
        if let calleeURL {
            guard let server = ServerURL(calleeURL) else {
                throw ValidationError("--callee-url needs http://HOST:PORT")
            }
            guard server.isLoopback || common.iOwnThisHost else {
                throw ValidationError("\(server.host) is not loopback; --i-own-this-host says it is yours to load")
            }
        }
        guard rate > 0, rate <= 10_000 else { throw ValidationError("--rate must be above 0 and at most 10000") }
        guard (1...50_000).contains(pairs) else { throw ValidationError("--pairs must be 1 to 50000") }
    }

    func run() async throws {
        try await common.report(measure)
    }

    private func measure(_ context: BenchContext) async throws -> CallsReport {
        let there = calleeURL.flatMap(ServerURL.init) ?? context.server
        let seats = try await Crowd.gather(pairs, status: context.status, saying: "pairs connected") { number in
            try await Seats.connect(context, there: there, number: number)
        }
        let free = FreeSeats(seats)
        if timing.warmUp > 0 { _ = try await load(context, free, seconds: timing.warmUp) }
        let before = context.processorTime()
        let othersBefore = otherProcesses.map(Accounting.runNanoseconds(ofFamily:))
        let totals = try await load(context, free, seconds: timing.duration)
        let after = context.processorTime()
        let others = zip(otherProcesses, othersBefore).map { process, before in
            ServerFigures(
                pid: process,
                cpuSeconds: Double(Accounting.runNanoseconds(ofFamily: process) &- before) / 1e9,
                seconds: timing.duration,
                count: UInt64(totals.counts.completed),
                memoryBytes: Accounting.residentBytes(of: process)
            )
        }
        return CallsReport(
            target: context.server.base,
            offeredPerSecond: rate,
            seconds: timing.duration,
            totals: totals,
            server: context.serverFigures(
                nanoseconds: after.server - before.server,
                seconds: timing.duration,
                count: UInt64(totals.counts.completed)
            ),
            others: others,
            generatorBusy: Double(after.generator - before.generator) / 1e9 / timing.duration
        )
    }

    /// Places the calls of so many seconds and returns when the last has come to its end.
    private func load(
        _ context: BenchContext,
        _ free: FreeSeats,
        seconds: Double
    ) async throws -> CallTotals {
        let totals = TotalsBox()
        let pacer = Pacer(perSecond: rate, start: EventLoad.now().advanced(bySeconds: 0.02))
        let count = Int(rate * seconds)
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<max(count, 1) {
                let due = pacer.due(index)
                let now = EventLoad.now()
                if now < due {
                    try? await Task.sleep(for: .nanoseconds(Int64(due.nanoseconds - now.nanoseconds)))
                }
                guard let seats = free.take() else {
                    totals.update { $0.counts.skipped += 1 }
                    continue
                }
                totals.update { $0.counts.started += 1 }
                group.addTask {
                    do {
                        try await seats.script(context, totals).play(due: due)
                        totals.update { $0.counts.completed += 1 }
                    } catch {
                        totals.update { $0.fail("\(error)") }
                    }
                    free.give(back: seats)
                }
                if index.isMultiple(of: max(Int(rate), 1)) {
                    let counts = totals.current.counts
                    context.status.show("\(counts.completed) of \(counts.started) calls completed")
                }
            }
        }
        return totals.current
    }
}

/// The pairs that are in no call, the one that has been so for the longest first.
final class FreeSeats: Sendable {
    private let seats: Locked<[Seats]>

    init(_ seats: [Seats]) { self.seats = Locked(seats) }

    func take() -> Seats? { seats.withLock { $0.isEmpty ? nil : $0.removeFirst() } }

    func give(back: Seats) { seats.withLock { $0.append(back) } }
}

/// Two connected users who call each other again and again.
struct Seats: Sendable {
    let number: Int
    let callerUser: BenchUser
    let calleeUser: BenchUser
    let caller: BenchSocket
    let callee: BenchSocket
    /// The node of the one who is called.
    let there: ServerURL

    static func connect(_ context: BenchContext, there: ServerURL, number: Int) async throws -> Seats {
        let callerUser = context.user(2 * number)
        let calleeUser = context.user(2 * number + 1)
        return Seats(
            number: number,
            callerUser: callerUser,
            calleeUser: calleeUser,
            caller: try await context.connect(callerUser),
            callee: try await context.connect(calleeUser, to: there),
            there: there
        )
    }

    func script(_ context: BenchContext, _ totals: TotalsBox) -> CallScript {
        CallScript(
            api: context.api,
            calleeAPI: CallAPIClient(http: context.http, server: there),
            room: "!\(context.run)-\(number):localhost",
            callerUser: callerUser,
            calleeUser: calleeUser,
            caller: caller,
            callee: callee,
            totals: totals
        )
    }
}
