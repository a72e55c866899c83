import NetPrimitives
import STUNCore
import TURNRelay

/// Any bytes as ChannelData, and as a payload in every framing that the relay has.
enum ChannelDataFuzz {
    static func run(_ bytes: RawSpan) throws(FuzzFinding) {
        try checkDatagram(bytes)
        guard let payload = bytes.slice(at: 4, length: max(bytes.byteCount - 4, 0)) else { return }
        try checkStream(bytes)
        let number = (bytes.uint16(at: 0) ?? 0) & 0x0FFF | 0x4000
        try checkChannelFraming(payload, number)
        let transaction = TransactionID(high: bytes.uint32(at: 0) ?? 0, low: bytes.uint64(at: 4) ?? 0)
        try checkIndicationFraming(payload, from: peer(bytes), transaction)
    }

    private static func checkDatagram(_ bytes: RawSpan) throws(FuzzFinding) {
        guard let data = ChannelData(datagram: bytes) else { return }
        let first = try unwrap(bytes.uint8(at: 0), "ChannelData without bytes")
        try expect(PacketClass(firstByte: first) == .channelData, "RFC 7983 sees no ChannelData in \(first)")
        try expect(ChannelData.channelNumbers.contains(data.channelNumber), "channel \(data.channelNumber)")
        try expect(bytes.uint32(at: 0) == data.headerBits, "the header is written differently")
        try expect(data.payload.count == Int(data.length), "a payload of \(data.payload)")
        try expect(data.payload.upperBound <= bytes.byteCount, "a payload beyond the datagram: \(data.payload)")
    }

    /// On a stream the same bytes are ChannelData again, without what follows.
    private static func checkStream(_ bytes: RawSpan) throws(FuzzFinding) {
        guard let data = ChannelData(datagram: bytes) else { return }
        var stream = bytes.extracting(0..<data.payload.upperBound).copied()
        let frame = stream
        stream += [UInt8](repeating: 0, count: -stream.count & 3)
        var frames: [[UInt8]] = []
        var deframer = StreamDeframer()
        do throws(StreamFailure) {
            try deframer.receive(stream.span.rawBytes) { frames.append($0.copied()) }
        } catch {
            throw FuzzFinding(description: "ChannelData ends a stream: \(error)")
        }
        try expect(frames == [frame], "a stream of \(frame) gives \(frames)")
    }

    private static func checkChannelFraming(_ payload: RawSpan, _ number: UInt16) throws(FuzzFinding) {
        let framing = Framing.channelData(number)
        let framed = framed(payload, as: framing, TransactionID(high: 0, low: 0))
        let data = try unwrap(ChannelData(datagram: framed.span.rawBytes), "our ChannelData is none")
        try expect(data.channelNumber == number, "channel \(data.channelNumber) instead of \(number)")
        try expect(Array(framed[data.payload]) == payload.copied(), "the payload changed on its way")
    }

    private static func checkIndicationFraming(
        _ payload: RawSpan,
        from peer: Endpoint,
        _ transaction: TransactionID
    ) throws(FuzzFinding) {
        let framed = framed(payload, as: .dataIndication(peer: peer), transaction)
        let message = try parse(framed.span.rawBytes)
        try expect(message.transactionID == transaction, "a Data indication with another transaction ID than given")
        try expect(message.type == MessageType(.data, .indication), "a Data indication of type \(message.type)")
        try expect(message.xorAddress(.xorPeerAddress) == peer, "a Data indication from another peer than \(peer)")
        let range = try unwrap(message.dataRange, "a Data indication without data")
        try expect(Array(framed[range]) == payload.copied(), "the payload changed on its way")
    }

    private static func framed(_ payload: RawSpan, as framing: Framing, _ transaction: TransactionID) -> [UInt8] {
        var scratch = [UInt8](repeating: 0xAA, count: Framing.longestHeaderByteCount)
        var written = 0
        do {
            var span = scratch.mutableSpan
            // SAFETY: every bit pattern of UInt8 is a value, and a byte has no padding.
            var raw = unsafe span.mutableBytes
            written = framing.writeHeader(
                payloadByteCount: payload.byteCount,
                transaction: transaction,
                into: &raw
            )
        }
        let padding = framing.paddingByteCount(payloadByteCount: payload.byteCount)
        return scratch.prefix(written) + payload.copied() + [UInt8](repeating: 0, count: padding)
    }

    private static func peer(_ bytes: RawSpan) -> Endpoint {
        let port = bytes.uint16(at: 0) ?? 0
        guard let high = bytes.uint64(at: 4), let low = bytes.uint64(at: 12) else {
            return Endpoint(address: IPAddress(ipv4: bytes.uint32(at: 0) ?? 0), port: port)
        }
        return Endpoint(address: IPAddress(ipv6High: high, low: low), port: port)
    }
}
