import NetPrimitives
import TURNBench
import Testing

@Suite("Load figures")
struct LoadFiguresTests {
    @Test("numbers in a row are in order, gaps too; what fills a gap is late, what came already is a duplicate")
    func arrivals() {
        var window = SequenceWindow()
        let arrivals = [0, 1, 3, 2, 2, 3, 70, 5, 6, 6, 200, 70].map { window.take($0) }
        #expect(
            arrivals == [
                .inOrder, .inOrder, .inOrder, .late, .duplicate, .duplicate, .inOrder, .late, .late, .late, .inOrder,
                .late,
            ]
        )
    }

    @Test("a flow may begin at any number, and the largest does not trap")
    func extremes() {
        var window = SequenceWindow()
        #expect(window.take(.max - 1) == .inOrder)
        #expect(window.take(0) == .late)
        #expect(window.take(.max - 1) == .duplicate)
    }

    @Test("totals count what came, once, and only what was due in time; latency is from when it was due")
    func totals() {
        var totals = LoadTotals(flowCount: 2, begin: Instant(nanoseconds: 1_000_000))
        let take = { (totals: inout LoadTotals, flow: UInt32, sequence: UInt64, due: UInt64, late: UInt64) in
            let stamp = PayloadStamp(flow: flow, sequence: sequence, due: Instant(nanoseconds: due))
            totals.take(stamp, now: Instant(nanoseconds: due + late))
        }
        for index in UInt64(0)..<100 { take(&totals, 0, index, 1_000_000 + index, (index + 1) * 1000) }
        take(&totals, 0, 98, 2_000_000, 1)
        take(&totals, 1, 0, 999_999, 1)
        take(&totals, 2, 0, 2_000_000, 1)
        #expect(totals.received == 100 && totals.duplicates == 1 && totals.late == 0)
        #expect(abs(totals.latencyMicroseconds(percent: 50) - 50) < 0.5)
        #expect(abs(totals.latencyMicroseconds(percent: 99) - 99) < 0.5)
        #expect(abs(totals.longestMicroseconds - 100) < 0.5)
    }

    @Test("a stamp is read as it was written, and strangers' payloads are none")
    func stamps() {
        var bytes = [UInt8](repeating: 0xEE, count: 40)
        let stamp = PayloadStamp(flow: 7, sequence: 1 << 40, due: Instant(nanoseconds: 123_456_789_012))
        Self.write(stamp, into: &bytes)
        #expect(Self.stamp(of: bytes) == stamp)
        #expect(Self.stamp(of: Array(bytes[..<23])) == nil)
        bytes[0] ^= 1
        #expect(Self.stamp(of: bytes) == nil)
    }

    private static func write(_ stamp: PayloadStamp, into bytes: inout [UInt8]) {
        var span = bytes.mutableSpan
        // SAFETY: every pattern of bytes is a value.
        var raw = unsafe span.mutableBytes
        stamp.write(into: &raw)
    }

    private static func stamp(of bytes: [UInt8]) -> PayloadStamp? {
        let span = bytes.span
        // SAFETY: bytes have no padding.
        return unsafe PayloadStamp(reading: span.bytes)
    }
}
