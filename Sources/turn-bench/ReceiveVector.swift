import CPacketIO
import Glibc
import NetPrimitives
import TURNBench

// SAFETY: @safe because the memory below is its own, freed with it, and reached at indices below `capacity`.
/// Packets that came in one system call.
@safe
struct ReceiveVector: ~Copyable {
    /// Messages it holds.
    static let capacity = 64

    private let stride: Int
    private let joins: Bool
    private let slots: UnsafeMutableRawPointer
    private let messages: UnsafeMutablePointer<packet_message>
    private let vectors: UnsafeMutablePointer<iovec>
    private let controls: UnsafeMutablePointer<packet_control>

    /// `joins`: whether messages may be several packets in a row, as UDP_GRO joins them.
    init(joins: Bool) {
        self.joins = joins
        stride = joins ? 65_536 + 64 : 4096 + 64
        // SAFETY: arrays of `capacity` entries, initialised here (the slots by the kernel) and freed in deinit.
        unsafe slots = .allocate(byteCount: Self.capacity * stride, alignment: 64)
        unsafe messages = .allocate(capacity: Self.capacity)
        unsafe messages.initialize(repeating: packet_message(), count: Self.capacity)
        unsafe vectors = .allocate(capacity: Self.capacity)
        unsafe vectors.initialize(repeating: iovec(), count: Self.capacity)
        unsafe controls = .allocate(capacity: Self.capacity)
        unsafe controls.initialize(repeating: packet_control(), count: Self.capacity)
    }

    deinit {
        // SAFETY: allocated in init, trivial contents, used by nobody after this.
        unsafe slots.deallocate()
        unsafe messages.deallocate()
        unsafe vectors.deallocate()
        unsafe controls.deallocate()
    }

    /// Reads at most `limit` messages; answers how many came.
    mutating func receive(from descriptor: Int32, limit: Int) -> Int {
        let wanted = min(limit, Self.capacity)
        for index in 0..<wanted {
            // SAFETY: below `capacity`; a slot has `stride` bytes.
            unsafe packet_message_aim(messages + index, vectors + index, nil, slots + index * stride, stride)
            if joins { unsafe packet_message_expect_segments(messages + index, controls + index) }
        }
        // SAFETY: the first `wanted` messages were just prepared.
        let result =
            wanted == 1 && !joins
            ? unsafe packet_receive_from(descriptor, messages)
            : unsafe packet_receive(descriptor, messages, UInt32(wanted))
        return result.error == 0 ? Int(result.value) : 0
    }

    /// Bytes of the `index`th message.
    func byteCount(of index: Int) -> Int {
        precondition(index < Self.capacity)
        // SAFETY: within the allocation, all of which was initialised.
        return unsafe min(Int(messages[index].length), stride)
    }

    /// Bytes of each packet of the `index`th message but perhaps the last.
    func packetByteCount(of index: Int) -> Int {
        precondition(index < Self.capacity)
        // SAFETY: within the allocation, all of which was initialised.
        let segment = joins ? unsafe Int(packet_message_segment_size(messages + index)) : 0
        return max(1, segment > 0 ? segment : byteCount(of: index))
    }

    /// The packet that begins at `offset` of the `index`th message.
    @_lifetime(borrow self)
    private borrowing func packet(of index: Int, at offset: Int, byteCount: Int) -> RawSpan {
        precondition(index < Self.capacity && offset >= 0 && byteCount >= 0 && offset + byteCount <= stride)
        // SAFETY: within the slot, which lives as long as this value.
        let start = unsafe UnsafeRawPointer(slots + index * stride + offset)
        let span = unsafe RawSpan(_unsafeStart: start, byteCount: byteCount)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// The stamp of what a peer received; nil if it is none of ours.
    @inline(__always)
    func stamp(of index: Int, at offset: Int, byteCount: Int) -> PayloadStamp? {
        PayloadStamp(reading: packet(of: index, at: offset, byteCount: byteCount))
    }

    /// The stamp of what a client received, or the bytes for the session if they carry no payload.
    @inline(__always)
    func fromServer(
        of index: Int,
        at offset: Int,
        byteCount: Int,
        _ speech: ServerAddress.Speech
    ) -> (stamp: PayloadStamp?, message: [UInt8]?) {
        let bytes = packet(of: index, at: offset, byteCount: byteCount)
        guard let range = Wrapping.payload(of: bytes, speech) else { return (nil, bytes.copied()) }
        return (PayloadStamp(reading: bytes.extracting(range)), nil)
    }
}
