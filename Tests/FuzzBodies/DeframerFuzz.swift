import NetPrimitives
import STUNCore

/// A byte stream cut anywhere: the frames and the failure are those of a deframer that is told all at once, and those of
/// a slow one that knows nothing of pieces.
enum DeframerFuzz {
    static func run(_ bytes: RawSpan) throws(FuzzFinding) {
        var input = FuzzInput(bytes)
        let limits = [StreamDeframer.longestFrameLength, 4, 64, 1_500]
        let limit = limits[input.index(limits.count)]
        let cuts = (0..<input.index(8)).map { _ in Int(input.byte()) }
        let stream = input.take(.max)

        let expected = reference(stream, limit: limit)
        let whole = try outcome(of: [stream], limit: limit)
        try expect(whole == expected, "at once: \(whole) instead of \(expected)")
        let pieces = try outcome(of: cut(stream, cuts), limit: limit)
        try expect(pieces == expected, "in pieces of \(cuts): \(pieces) instead of \(expected)")
        guard stream.count <= 256 else { return }
        let each = try outcome(of: stream.map { [$0] }, limit: limit)
        try expect(each == expected, "byte by byte: \(each) instead of \(expected)")
    }

    private struct Outcome: Equatable {
        var frames: [[UInt8]] = []
        var failure: StreamFailure?
        var waiting = 0
    }

    private static func cut(_ stream: [UInt8], _ lengths: [Int]) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = stream[...]
        for length in lengths {
            pieces.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return pieces + [Array(rest)]
    }

    private static func outcome(of pieces: [[UInt8]], limit: Int) throws(FuzzFinding) -> Outcome {
        var deframer = StreamDeframer(maximumFrameLength: limit)
        var outcome = Outcome()
        for piece in pieces {
            var failure: StreamFailure?
            do throws(StreamFailure) {
                try deframer.receive(piece.span.rawBytes) { outcome.frames.append($0.copied()) }
            } catch {
                failure = error
            }
            try expect(outcome.failure == nil || failure == outcome.failure, "a stream goes on after its end")
            outcome.failure = failure
            try expect(deframer.waitingByteCount < limit, "\(deframer.waitingByteCount) bytes wait, limit \(limit)")
        }
        outcome.waiting = deframer.waitingByteCount
        return outcome
    }

    /// RFC 8489 §6.2.2 and RFC 8656 §12.5, read from left to right.
    private static func reference(_ stream: [UInt8], limit: Int) -> Outcome {
        var outcome = Outcome()
        var rest = stream[...]
        while let first = rest.first {
            let isMessage = first <= 3
            guard isMessage || first & 0xF0 == 0x40 else {
                return Outcome(frames: outcome.frames, failure: .firstByte(first))
            }
            let header = Array(rest.prefix(4))
            guard header.count == 4 else { break }
            let length = Int(header[2]) * 256 + Int(header[3])
            if isMessage, !length.isMultiple(of: 4) { return Outcome(frames: outcome.frames, failure: .length) }
            let frame = (isMessage ? 20 : 4) + length
            let padded = (frame + 3) / 4 * 4
            if padded > limit { return Outcome(frames: outcome.frames, failure: .oversize(padded)) }
            guard rest.count >= padded else { break }
            outcome.frames.append(Array(rest.prefix(frame)))
            rest = rest.dropFirst(padded)
        }
        outcome.waiting = rest.count
        return outcome
    }
}
