import CPacketIO
import Glibc
import NetPrimitives
import PacketIO

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
        let result = unsafe packet_receive(descriptor, messages, UInt32(wanted))
        return result.error == 0 ? Int(result.value) : 0
    }

    /// Hands each packet of the `index`th message to `body`.
    @inline(__always)
    func forEachPacket(of index: Int, _ body: (RawSpan) -> Void) {
        precondition(index < Self.capacity)
        // SAFETY: the kernel wrote the message's length of bytes into its slot, which outlives the call.
        let length = unsafe min(Int(messages[index].length), stride)
        let segment = joins ? unsafe Int(packet_message_segment_size(messages + index)) : 0
        let step = segment > 0 ? segment : max(length, 1)
        var offset = 0
        repeat {
            let count = min(step, length - offset)
            body(unsafe RawSpan(_unsafeStart: UnsafeRawPointer(slots + index * stride + offset), byteCount: count))
            offset += step
        } while offset < length
    }
}
