public import NetPrimitives

/// What a payload of the load says of itself: whose it is, the how manieth, and when it was due.
///
/// The latency counts from the moment that the schedule had for it, not from the call that sent it: a generator that is
/// late makes its packets late, and does not hide a server that made it so.
public struct PayloadStamp: Hashable, Sendable, BitwiseCopyable {
    /// The bytes that a stamp takes at the beginning of a payload.
    public static let byteCount = 24
    /// "turnload" in short: tells our payloads from strangers'.
    private static let magic: UInt32 = 0x7475_6C64

    /// The number of the allocation.
    public var flow: UInt32
    /// The number of the payload in its flow and direction.
    public var sequence: UInt64
    /// When it was due.
    public var due: Instant

    /// A stamp to be written.
    public init(flow: UInt32, sequence: UInt64, due: Instant) {
        self.flow = flow
        self.sequence = sequence
        self.due = due
    }

    /// Reads a stamp; nil if the payload is none of ours.
    public init?(reading payload: RawSpan) {
        guard payload.uint32(at: 0) == Self.magic, let flow = payload.uint32(at: 4),
            let sequence = payload.uint64(at: 8), let due = payload.uint64(at: 16)
        else { return nil }
        self.init(flow: flow, sequence: sequence, due: Instant(nanoseconds: due))
    }

    /// Writes the stamp to the beginning of a payload of at least `byteCount` bytes.
    public func write(into payload: inout MutableRawSpan) {
        payload.storeBytes(of: Self.magic.bigEndian, toByteOffset: 0, as: UInt32.self)
        payload.storeBytes(of: flow.bigEndian, toByteOffset: 4, as: UInt32.self)
        payload.storeBytes(of: sequence.bigEndian, toByteOffset: 8, as: UInt64.self)
        payload.storeBytes(of: due.nanoseconds.bigEndian, toByteOffset: 16, as: UInt64.self)
    }
}
