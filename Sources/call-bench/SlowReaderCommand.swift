import ArgumentParser
import BenchSupport
import CallBench
import NIOCore
import NIOPosix
import Synchronization

/// `call-bench slow-reader`: clients that do not read.
struct SlowReaderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slow-reader",
        abstract: "Have clients stop reading, send them events until the server cuts them, and say what each took.",
        discussion: """
            The other side of each call sends as fast as it is acknowledged, and stops when its peer is gone. Before that \
            it sends some that its peer does read, so that what a server takes for its first work is not counted to the \
            readers. Needs --server-pid.
            """
    )

    @OptionGroup var common: CommonOptions

    @Option(help: "Clients that stop reading.")
    var readers = 20

    @Option(help: "Bytes of an event: of a candidate at least 300, above 4,000 an offer of this size is sent.")
    var eventBytes = 300

    @Option(help: "Seconds after which readers that are still connected are given up.")
    var patience = 60.0

    func validate() throws {
        guard common.serverPid != nil else { throw ValidationError("--server-pid is needed") }
        guard (1...1_000).contains(readers) else { throw ValidationError("--readers must be 1 to 1000") }
        guard (300...60_000).contains(eventBytes) else { throw ValidationError("--event-bytes must be 300 to 60000") }
        guard patience > 0, patience <= 3_600 else {
            throw ValidationError("--patience must be above 0 and at most 3600")
        }
    }

    /// Of sixteen events each.
    private static let warmUpBursts = 96

    func run() async throws {
        try await common.report(measure)
    }

    private func measure(_ context: BenchContext) async throws -> SlowReaderReport {
        let pairs = try await Crowd.gather(readers, atATime: 16, status: context.status, saying: "calls joined") {
            try await CallPair.join(context, number: $0)
        }
        context.status.show("warming up")
        _ = try await Crowd.gather(readers, status: context.status, saying: "calls warm") { [eventBytes] number in
            for _ in 0..<Self.warmUpBursts { _ = try await Self.burst(pairs[number], bytes: eventBytes) }
        }
        for pair in pairs {
            try await pair.callee.channel.setOption(.autoRead, value: false).get()
            try await pair.callee.channel.setOption(.socketOption(.so_rcvbuf), value: 16_384).get()
        }
        try await Task.sleep(for: .seconds(1))
        let before = context.serverMemory()
        let counts = SlowReaderCounts(memory: before)
        let event = eventBytes
        let deadline = EventLoad.now().advanced(bySeconds: patience)
        await withTaskGroup(of: Void.self) { group in
            for pair in pairs {
                group.addTask {
                    while EventLoad.now() < deadline {
                        guard let events = try? await Self.burst(pair, bytes: event) else { return }
                        counts.sent.add(events.count, ordering: .relaxed)
                        if events.isPeerGone {
                            counts.cut.add(1, ordering: .relaxed)
                            return
                        }
                    }
                }
            }
            group.addTask {
                while EventLoad.now() < deadline, counts.cut.load(ordering: .relaxed) < pairs.count {
                    counts.peak.max(context.serverMemory(), ordering: .relaxed)
                    context.status.show(counts.text)
                    try? await Task.sleep(for: .milliseconds(200))
                }
            }
        }
        for pair in pairs {
            pair.caller.cut()
            pair.callee.cut()
        }
        return SlowReaderReport(
            target: context.server.base,
            readers: readers,
            cut: counts.cut.load(ordering: .relaxed),
            events: counts.sent.load(ordering: .relaxed),
            eventBytes: event,
            memoryBytesBefore: before,
            memoryBytesPeak: counts.peak.load(ordering: .relaxed)
        )
    }

    /// Sends some events; the acknowledgement says whether the peer has a socket in the call.
    private static func burst(_ pair: CallPair, bytes: Int) async throws -> (count: UInt64, isPeerGone: Bool) {
        let padding = String(repeating: "x", count: max(bytes - 300, 0))
        let stamp = SignalStamp(number: 0, due: EventLoad.now())
        let isOffer = bytes > 4_000
        let payload =
            isOffer
            ? "{\"callId\":\"\(pair.callID)\",\"offer\":{\"type\":\"offer\",\"sdp\":\"\(padding)\"}}"
            : "{\"callId\":\"\(pair.callID)\",\"candidate\":\(stamp.candidate)}"
        let answers = (0..<16).map { _ in pair.caller.begin(isOffer ? "webrtc-offer" : "ice-candidate", payload) }
        var isPeerGone = false
        for answer in answers {
            let text = try await answer.accepted()
            isPeerGone = isPeerGone || text.hasPrefix(#"{"ok":true,"delivered":false"#)
        }
        return (UInt64(answers.count), isPeerGone)
    }
}

/// What the tasks of a run count together.
private final class SlowReaderCounts: Sendable {
    let sent = Atomic<UInt64>(0)
    let cut = Atomic(0)
    /// The most memory of the server that was seen.
    let peak: Atomic<UInt64>

    init(memory: UInt64) { peak = Atomic(memory) }

    var text: String { "\(sent.load(ordering: .relaxed)) events sent, \(cut.load(ordering: .relaxed)) readers cut" }
}
