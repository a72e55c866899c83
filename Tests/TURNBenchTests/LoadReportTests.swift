import Foundation
import NetPrimitives
import TURNBench
import Testing

@Suite("Load reports")
struct LoadReportTests {
    private func report(offered: Double?, sent: UInt64 = 10_000, busy: Double = 0.5, share: Double = 0.5) -> LoadReport
    {
        let plan = LoadPlan(
            target: "turn:127.0.0.1:3478",
            speech: .turn,
            allocations: 200,
            payloadByteCount: 160,
            packetsPerSecond: offered,
            direction: .up,
            mode: .channel,
            burst: 1,
            usesSegmentation: false,
            seconds: 10,
            warmUpSeconds: 1,
            serverProcess: 42
        )
        var report = LoadReport(plan, setup: .init(allocations: 200, seconds: 0.5))
        var totals = LoadTotals(flowCount: 1, begin: Instant(nanoseconds: 0))
        totals.sent = sent
        for index in UInt64(0)..<9_990 {
            let stamp = PayloadStamp(flow: 0, sequence: index, due: Instant(nanoseconds: 1000))
            totals.take(stamp, now: Instant(nanoseconds: 21_000))
        }
        report.seconds = 10
        report.up = .init(totals, seconds: 10)
        report.server = .init(pid: 42, cpuSeconds: 0.099900001, packets: 9_990, seconds: 10, memoryBytes: 1 << 20)
        report.server?.cpuShare = share
        report.generator = .init(busy: busy)
        report.void = VoidRule.reasons(report)
        return report
    }

    @Test("a run that the generator may have limited is void, and says why")
    func void() {
        #expect(report(offered: 1000).void.isEmpty)
        #expect(report(offered: 1000, busy: 0.91).void == ["the generator was busy 91 % of its time, more than 90 %"])
        #expect(report(offered: 1100).void == ["up: only 1000 of 1100 packets/s could be sent"])
        #expect(report(offered: nil, busy: 1, share: 0.95).void.isEmpty)
        #expect(report(offered: nil, busy: 1, share: 0.7).void.count == 1)
    }

    @Test("the figures follow from the counts")
    func figures() throws {
        let report = report(offered: 1000)
        let up = try #require(report.up)
        #expect(up.lost == 10 && up.lossRatio == 0.001)
        #expect(up.sentPerSecond == 1000 && up.receivedPerSecond == 999)
        #expect(abs(up.latencyMicroseconds.p99_9 - 20) < 0.1)
        #expect(abs(try #require(report.server).cpuNanosecondsPerPacket - 10_000) < 1)
        #expect(report.setup.perSecond == 400)
    }

    @Test("JSON has every figure in every report, absent ones as null")
    func json() throws {
        let data = try JSONEncoder().encode(report(offered: nil))
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let keys: Set = [
            "target", "allocations", "payloadBytes", "direction", "mode", "burst", "gso", "offeredPerSecond", "seconds",
            "up", "down", "setup", "server", "machine", "generator", "void",
        ]
        #expect(Set(object.keys) == keys)
        for absent in ["offeredPerSecond", "down", "machine"] { #expect(object[absent] is NSNull) }
        #expect(try JSONDecoder().decode(LoadReport.self, from: data) == report(offered: nil))
    }

    @Test("the table says what a reader has to know, the void run's reason last")
    func table() {
        let lines = report(offered: 1000, busy: 0.95).table.split(separator: "\n").map(String.init)
        #expect(lines.contains("server         turn:127.0.0.1:3478"))
        #expect(lines.contains("  loss         10 (0.100 %)"))
        #expect(lines.contains { $0.hasPrefix("  latency      p50 20.0, p99 20.0, p99.9 20.0") })
        #expect(lines.contains { $0.hasPrefix("server CPU     10000 ns/packet, 50.0 % of a core") })
        #expect(lines.last == "VOID           the generator was busy 95 % of its time, more than 90 %")
    }
}
