import NetPrimitives
import STUNCore
import TestSupport
import Testing

@Suite("Stream deframer")
struct StreamDeframerTests {
    /// What came out of a stream.
    private struct Outcome: Equatable {
        var frames: [[UInt8]] = []
        var failure: StreamFailure?
        var waiting = 0
    }

    private static let binding = stunMessage(MessageType(.binding, .request), fingerprint: true)

    private func channelData(_ payload: [UInt8], number: UInt16 = 0x4001, padded: Bool = true) -> [UInt8] {
        let header = ChannelData(channelNumber: number, length: UInt16(payload.count)).headerBits
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: header >> (24 - 8 * $0)) } + payload
        return bytes + [UInt8](repeating: 0xEE, count: padded ? -payload.count & 3 : 0)
    }

    /// Feeds `stream` in pieces that end at `cuts`.
    private func outcome(
        of stream: [UInt8],
        cutAt cuts: [Int] = [],
        limit: Int = StreamDeframer.longestFrameLength
    ) -> Outcome {
        var deframer = StreamDeframer(maximumFrameLength: limit)
        var outcome = Outcome()
        var start = 0
        for end in cuts + [stream.count] {
            let piece = Array(stream[start..<end])
            start = end
            do throws(StreamFailure) {
                try deframer.receive(piece.span.rawBytes) { outcome.frames.append($0.copied()) }
            } catch {
                outcome.failure = error
            }
            #expect(deframer.waitingByteCount < limit)
        }
        outcome.waiting = deframer.waitingByteCount
        return outcome
    }

    @Test("messages and ChannelData come out in order, the padding of ChannelData does not (RFC 8656 §12.5)")
    func frames() {
        let first = channelData([1, 2, 3, 4, 5])
        let stream = first + Self.binding + channelData([]) + channelData([9, 8, 7, 6]) + Self.binding.prefix(7)
        let outcome = outcome(of: stream)
        #expect(
            outcome.frames == [
                channelData([1, 2, 3, 4, 5], padded: false), Self.binding, channelData([]), channelData([9, 8, 7, 6]),
            ]
        )
        #expect(outcome.failure == nil && outcome.waiting == 7)
    }

    @Test("two cuts, wherever they are, change nothing")
    func everyPairOfCuts() {
        let stream = channelData([1, 2, 3]) + Self.binding + channelData([4]) + [0x40]
        let whole = outcome(of: stream)
        #expect(whole.frames.count == 3 && whole.waiting == 1)
        for first in 0...stream.count {
            for second in first...stream.count {
                #expect(outcome(of: stream, cutAt: [first, second]) == whole, "cut at \(first) and \(second)")
            }
        }
    }

    @Test("byte by byte is as good as at once, for good streams and damaged ones")
    func anySegmentation() throws {
        try checkProperty("segmentation does not matter") { random in
            var stream: [UInt8] = []
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let payload = random.bytes(Int.random(in: 0...40, using: &random))
                stream += random.oneIn(2) ? channelData(payload) : random.stunMessage()
            }
            if random.oneIn(3) { stream = random.mutated(stream) }
            let whole = outcome(of: stream, limit: 600)
            let cuts = (0..<Int.random(in: 0...9, using: &random))
                .map { _ in Int.random(in: 0...stream.count, using: &random) }.sorted()
            try claim(outcome(of: stream, cutAt: cuts, limit: 600) == whole, "\(stream) cut at \(cuts)")
            let each = outcome(of: stream, cutAt: Array(stream.indices), limit: 600)
            try claim(each == whole, "\(stream) byte by byte")
        }
    }

    @Test("a first byte of no protocol ends the stream at once", arguments: [4, 16, 20, 63, 80, 128, 255] as [UInt8])
    func firstByte(byte: UInt8) {
        let stream = Self.binding + [byte]
        #expect(outcome(of: stream) == Outcome(frames: [Self.binding], failure: .firstByte(byte)))
        #expect(outcome(of: stream, cutAt: [20]).failure == .firstByte(byte))
    }

    @Test("a STUN length that is no multiple of four ends the stream")
    func unevenLength() {
        #expect(outcome(of: [0, 1, 0, 2]) == Outcome(failure: .length))
        #expect(outcome(of: [0, 1, 0, 2], cutAt: [1, 2, 3]) == Outcome(failure: .length))
    }

    @Test("a frame one byte too long ends the stream before its bytes are gathered, one that just fits does not")
    func oversize() {
        #expect(outcome(of: channelData([1, 2, 3, 4]), limit: 8).frames.count == 1)
        #expect(outcome(of: [0x40, 0, 0, 5], limit: 8) == Outcome(failure: .oversize(12)))
        #expect(outcome(of: [0, 1, 0xFF, 0xFC], limit: 65_551) == Outcome(failure: .oversize(65_552)))
        #expect(outcome(of: [0, 1, 0xFF, 0xFC]) == Outcome(waiting: 4))
    }

    @Test("after a failure nothing comes out any more")
    func failureIsFinal() {
        var deframer = StreamDeframer()
        #expect(throws: StreamFailure.firstByte(0x7F)) { try feed([0x7F], to: &deframer) }
        #expect(throws: StreamFailure.firstByte(0x7F)) { try feed(Self.binding, to: &deframer) }
        let failure = deframer.failure
        #expect(failure == .firstByte(0x7F))
    }

    private func feed(_ bytes: [UInt8], to deframer: inout StreamDeframer) throws {
        try deframer.receive(bytes.span.rawBytes) { _ in Issue.record("a frame after the end") }
    }

    @Test("the longest frames there are pass, whole and in pieces")
    func longestFrames() {
        let data = channelData([UInt8](repeating: 7, count: 65_535))
        let message = [0, 1, 0xFF, 0xFC] + [UInt8](repeating: 0, count: 65_548)
        let outcome = outcome(of: data + message + data, cutAt: [3, 65_000, 66_000, 140_000])
        #expect(outcome.frames.map(\.count) == [65_539, 65_552, 65_539])
        #expect(outcome.failure == nil && outcome.waiting == 0)
    }
}
