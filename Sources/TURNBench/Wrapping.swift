public import NetPrimitives
internal import STUNCore

/// What stands before a payload on its way between generator and server, and how to get at what stands behind it.
public enum Wrapping {
    /// The bytes before (and, for indications, behind) every payload of `payloadByteCount` bytes that a client sends.
    public static func towardsServer(
        _ speech: ServerAddress.Speech,
        _ mode: LoadMode,
        flow: UInt32,
        peer: Endpoint,
        payloadByteCount: Int
    ) -> (prefix: [UInt8], paddingByteCount: Int) {
        switch (speech, mode) {
        case (.floor, _):
            return (bytes(of: flow), 0)
        case (.turn, .channel):
            return (bytes(of: UInt32(ClientSession.channel) << 16 | UInt32(payloadByteCount)), 0)
        case (.turn, .indication):
            var builder = MessageBuilder(capacity: 70_000)
            builder.begin(MessageType(.send, .indication), TransactionID(high: flow, low: UInt64(flow)))
            builder.appendXORAddress(.xorPeerAddress, peer)
            let payload = [UInt8](repeating: 0, count: payloadByteCount)
            // SAFETY: bytes of integers without padding.
            builder.appendData(unsafe payload.span.bytes)
            guard let range = builder.finish() else { preconditionFailure("a payload that fits into no datagram") }
            let padding = -payloadByteCount & 3
            return (Array(builder.bytes(in: range).copied().dropLast(payloadByteCount + padding)), padding)
        }
    }

    private static func bytes(of word: UInt32) -> [UInt8] {
        stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt32($0)) }
    }

    /// Where the payload lies in what a client received; nil for everything that carries none.
    @inline(__always)
    public static func payload(of bytes: RawSpan, _ speech: ServerAddress.Speech) -> Range<Int>? {
        guard let first = bytes.uint16(at: 0) else { return nil }
        if speech == .floor { return bytes.byteCount >= 4 && first != 0xFFFF ? 4..<bytes.byteCount : nil }
        if first & 0xF000 == 0x4000 {
            guard let count = bytes.uint16(at: 2), bytes.byteCount >= 4 + Int(count) else { return nil }
            return 4..<4 + Int(count)
        }
        guard first == 0x0017, let message = try? MessageView(parsing: bytes) else { return nil }
        return message.dataRange
    }
}
