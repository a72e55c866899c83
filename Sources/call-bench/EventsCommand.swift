import ArgumentParser
import BenchCore
import BenchSupport
import CallBench
import NIOCore
import NIOPosix
import NetPrimitives

/// `call-bench events`: acknowledged candidates.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Send candidates in many calls and wait for each one's acknowledgement.",
        discussion: """
            Two sockets a call, each sending to the other. With --rate events are sent by the clock, whatever became of \
            those before, and latency counts from when an event was due, so that a server that stalls cannot hide it. \
            With --in-flight a new one is sent for each that is acknowledged, which finds the highest rate.

            --peer loads another Socket.IO server that knows `join-call` and `ice-candidate` but not our REST API: no \
            call is placed, both sides of a pair join the same made-up id.
            """
    )

    @OptionGroup var common: CommonOptions
    @OptionGroup var timing: TimingOptions

    @Option(help: "Connected sockets, two a call.")
    var connections = 1_000

    @Option(help: "Events a second, of all sockets together.")
    var rate: Double?

    @Option(help: "Events under way at any time, instead of --rate.")
    var inFlight: Int?

    @Flag(help: "The server is another Socket.IO server, without our REST API.")
    var peer = false

    func validate() throws {
        guard (2...100_000).contains(connections), connections.isMultiple(of: 2) else {
            throw ValidationError("--connections must be an even number from 2 to 100000")
        }
        guard (rate != nil) != (inFlight != nil) else {
            throw ValidationError("either --rate or --in-flight is needed")
        }
        guard rate.map({ $0 > 0 && $0 <= 1_000_000 }) ?? true else {
            throw ValidationError("--rate must be more than 0 and at most 1000000")
        }
        guard inFlight.map({ (1...100_000).contains($0) }) ?? true else {
            throw ValidationError("--in-flight must be 1 to 100000")
        }
    }

    func run() async throws {
        try await common.report(measure)
    }

    private func measure(_ context: BenchContext) async throws -> EventsReport {
        let started = EventLoad.now()
        let pairs = try await Crowd.gather(connections / 2, atATime: 32, status: context.status, saying: "calls joined")
        {
            [peer] number in try await CallPair.join(context, number: number, places: !peer)
        }
        let setupSeconds = Double(EventLoad.now().nanoseconds - started.nanoseconds) / 1e9
        let loop = context.group.next()
        let load = try await loop.submit {
            let load = EventLoad(loop: loop)
            for pair in pairs {
                load.add(pair.caller.handler.value, callID: pair.callID)
                load.add(pair.callee.handler.value, callID: pair.callID)
            }
            return NIOLoopBound(load, eventLoop: loop)
        }.get()
        let start = EventLoad.now().advanced(bySeconds: 0.05)
        let begin = start.advanced(bySeconds: timing.warmUp)
        let end = begin.advanced(bySeconds: timing.duration)
        loop.execute { [rate, inFlight] in
            if let rate { load.value.run(perSecond: rate, from: start, measuring: begin, until: end) }
            if let inFlight { load.value.run(inFlight: inFlight, measuring: begin, until: end) }
        }
        try await sleep(until: begin)
        let before = context.processorTime()
        while EventLoad.now() < end {
            try await Task.sleep(for: .milliseconds(500))
            let totals = try await loop.submit { load.value.totals }.get()
            let left = Decimals.text(Double(end.nanoseconds) / 1e9 - Double(EventLoad.now().nanoseconds) / 1e9, 0)
            context.status.show("\(totals.acknowledged) of \(totals.sent) acknowledged, \(left) s to go")
        }
        let after = context.processorTime()
        let totals = try await drained(load, on: loop)
        return EventsReport(
            target: context.server.base,
            connections: connections,
            offeredPerSecond: rate,
            inFlight: inFlight,
            seconds: timing.duration,
            setupSeconds: setupSeconds,
            totals: totals,
            server: context.serverFigures(
                nanoseconds: after.server - before.server,
                seconds: timing.duration,
                count: totals.acknowledged
            ),
            generatorBusy: Double(after.generator - before.generator) / 1e9 / timing.duration
        )
    }

    /// Waits up to ten seconds for what is still under way.
    private func drained(_ load: NIOLoopBound<EventLoad>, on loop: any EventLoop) async throws -> EventTotals {
        for _ in 0..<100 {
            let totals = try await loop.submit { load.value.totals }.get()
            if totals.acknowledged + totals.refused == totals.sent, totals.delivered == totals.sent { return totals }
            try await Task.sleep(for: .milliseconds(100))
        }
        return try await loop.submit { load.value.totals }.get()
    }

    private func sleep(until instant: Instant) async throws {
        let now = EventLoad.now()
        guard now < instant else { return }
        try await Task.sleep(for: .nanoseconds(Int64(instant.nanoseconds - now.nanoseconds)))
    }
}

extension Instant {
    /// The point so many seconds later.
    func advanced(bySeconds seconds: Double) -> Instant {
        Instant(nanoseconds: nanoseconds + UInt64(seconds * 1e9))
    }
}
