import NetPrimitives

/// Takes STUN messages and ChannelData out of the byte stream of one TCP or TLS connection (RFC 8489 §6.2.2, RFC 8656
/// §12.5), however the bytes were cut into pieces on their way.
///
/// A frame that came in one piece is handed on where it lies; only what was cut is gathered in a buffer, which grows with
/// the bytes that really came and never beyond one frame.
public struct StreamDeframer: ~Copyable {
    /// The longest frame that the length fields can name: a STUN message with 65,532 bytes of attributes.
    public static let longestFrameLength = 65_552
    /// A buffer that grew beyond this is given back when its frame is complete, so that one large frame does not cost an
    /// idle connection its memory for good.
    private static let keptCapacity = 2_048

    /// How many bytes a frame may have, padding included.
    public let maximumFrameLength: Int
    /// What ended the stream, if something did. Nothing comes out of it any more.
    public private(set) var failure: StreamFailure?
    /// The beginning of a frame whose end has not come yet.
    private var partial: [UInt8] = []

    /// A deframer at the start of a stream that refuses frames of more than `maximumFrameLength` bytes.
    public init(maximumFrameLength: Int = StreamDeframer.longestFrameLength) {
        precondition(maximumFrameLength >= FrameHeader.length, "a frame has a header")
        self.maximumFrameLength = maximumFrameLength
    }

    /// How many bytes wait for the rest of their frame.
    public var waitingByteCount: Int { partial.count }

    /// Takes the next bytes of the stream and calls `body` with each frame that they complete, in order: a STUN message,
    /// or ChannelData without its padding. The frames before a failure are handed on first; after it every call throws.
    public mutating func receive(_ bytes: RawSpan, frame body: (RawSpan) -> Void) throws(StreamFailure) {
        if let failure { throw failure }
        do throws(StreamFailure) {
            var offset = try completePartial(with: bytes, frame: body)
            while let header = try FrameHeader(bytes, at: offset, limit: maximumFrameLength),
                bytes.hasBytes(header.paddedLength, at: offset),
                let frame = bytes.slice(at: offset, length: header.frameLength)
            {
                body(frame)
                offset += header.paddedLength
            }
            keep(bytes, from: offset, upTo: bytes.byteCount)
        } catch {
            failure = error
            partial = []
            throw error
        }
    }

    /// Adds to the frame that waits what it lacks, and hands it on if that was all. Answers how many bytes were used.
    private mutating func completePartial(
        with bytes: RawSpan,
        frame body: (RawSpan) -> Void
    ) throws(StreamFailure) -> Int {
        guard !partial.isEmpty else { return 0 }
        var used = min(max(FrameHeader.length - partial.count, 0), bytes.byteCount)
        keep(bytes, from: 0, upTo: used)
        guard let header = try FrameHeader(partial.span.rawBytes, at: 0, limit: maximumFrameLength) else { return used }
        let end = min(used + header.paddedLength - partial.count, bytes.byteCount)
        keep(bytes, from: used, upTo: end)
        used = end
        guard partial.count == header.paddedLength else { return used }
        if let frame = partial.span.rawBytes.slice(at: 0, length: header.frameLength) { body(frame) }
        partial.removeAll(keepingCapacity: partial.capacity <= Self.keptCapacity)
        return used
    }

    private mutating func keep(_ bytes: RawSpan, from start: Int, upTo end: Int) {
        guard start < end, let rest = bytes.slice(at: start, length: end - start) else { return }
        // SAFETY: the buffer is read inside the closure alone.
        unsafe rest.withUnsafeBytes { unsafe partial.append(contentsOf: $0) }
    }
}

/// What the first four bytes of a frame say, whichever of the two kinds it is.
private struct FrameHeader: BitwiseCopyable {
    static let length = 4

    /// The length of what is handed on.
    let frameLength: Int
    /// The length on the wire: on a stream ChannelData is padded to a multiple of four bytes (RFC 8656 §12.5).
    let paddedLength: Int

    /// Nil if the four bytes are not all there; a wrong first byte is told as soon as it is.
    init?(_ bytes: RawSpan, at offset: Int, limit: Int) throws(StreamFailure) {
        guard let first = bytes.uint8(at: offset) else { return nil }
        let packetClass = PacketClass(firstByte: first)
        guard packetClass == .stun || packetClass == .channelData else { throw .firstByte(first) }
        guard let length = bytes.uint16(at: offset &+ 2) else { return nil }
        if packetClass == .stun {
            guard length & 3 == 0 else { throw .length }
            frameLength = MessageView.headerLength + Int(length)
        } else {
            frameLength = ChannelData.headerLength + Int(length)
        }
        paddedLength = (frameLength + 3) & ~3
        guard paddedLength <= limit else { throw .oversize(paddedLength) }
    }
}
