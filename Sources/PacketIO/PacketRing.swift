import CPacketIO
import Glibc

// SAFETY: @safe because the memory below is its own, freed with it, and reached only through checked indices.
/// Room for the datagrams of one pass, allocated once: slots of one size, given out in order and taken back together.
///
/// The kernel writes a datagram into its slot and reads it out of there again when it is passed on; nothing in between
/// moves it. There is room in front of it, so that it can leave in one piece with a header. Slots lie at a pitch that is no
/// power of two, so that the beginnings of all datagrams do not compete for the same few cache lines. The kernel's record of
/// each slot is set up once, too: a receive costs no more records than it brings datagrams.
@safe
public struct PacketRing: ~Copyable {
    /// Cache line: slots begin at multiples of it, and the pitch is an odd number of them.
    private static let line = 64

    /// Bytes in front of what is received into a slot. They end within a cache line, so that a header of up to 48 bytes
    /// and the beginning of the datagram are in the same one.
    public static let headroom = 112

    /// Slots in all.
    public let slotCount: Int
    /// The largest datagram a slot can take; what is larger arrives truncated.
    public let slotCapacity: Int
    /// Slots given out since they were last taken back.
    public private(set) var used = 0

    private let pitch: Int
    private let memory: UnsafeMutableRawPointer
    /// By slot: what the kernel is told of it, and what it says of the datagram in it.
    let messages: UnsafeMutablePointer<packet_message>
    let names: UnsafeMutablePointer<packet_sockaddr>
    private let vectors: UnsafeMutablePointer<iovec>
    private let controls: UnsafeMutablePointer<packet_control>

    /// Allocates `slotCount` slots for datagrams of up to `slotCapacity` bytes.
    public init(slotCount: Int, slotCapacity: Int) {
        precondition(slotCount > 0 && slotCapacity > 0)
        let lines = (PacketRing.headroom + slotCapacity + PacketRing.line - 1) / PacketRing.line
        pitch = (lines | 1) * PacketRing.line
        self.slotCount = slotCount
        self.slotCapacity = slotCapacity
        // SAFETY: freed in deinit. A slot is read only as far as the kernel said it wrote.
        unsafe memory = UnsafeMutableRawPointer.allocate(
            byteCount: slotCount * pitch,
            alignment: PacketRing.line
        )
        // SAFETY: arrays of `slotCount` entries, initialised here and freed in deinit. Every record points at its own slot,
        // address and control message, none of which ever move.
        unsafe messages = UnsafeMutablePointer<packet_message>.allocate(capacity: slotCount)
        unsafe messages.initialize(repeating: packet_message(), count: slotCount)
        unsafe vectors = UnsafeMutablePointer<iovec>.allocate(capacity: slotCount)
        unsafe vectors.initialize(repeating: iovec(), count: slotCount)
        unsafe names = UnsafeMutablePointer<packet_sockaddr>.allocate(capacity: slotCount)
        unsafe names.initialize(repeating: packet_sockaddr(), count: slotCount)
        unsafe controls = UnsafeMutablePointer<packet_control>.allocate(capacity: slotCount)
        unsafe controls.initialize(repeating: packet_control(), count: slotCount)
        for index in 0..<slotCount {
            let place = unsafe memory + index * pitch + PacketRing.headroom
            unsafe packet_message_aim(messages + index, vectors + index, names + index, place, slotCapacity)
            unsafe packet_message_expect_segments(messages + index, controls + index)
        }
    }

    deinit {
        // SAFETY: allocated in init; the views given out cannot outlive the ring.
        unsafe memory.deallocate()
        unsafe messages.deallocate()
        unsafe vectors.deallocate()
        unsafe names.deallocate()
        unsafe controls.deallocate()
    }

    /// Slots that can still be given out.
    public var free: Int { slotCount - used }

    /// The first byte of what was received into a slot.
    func slot(_ index: Int) -> UnsafeMutableRawPointer {
        precondition(index >= 0 && index < slotCount)
        // SAFETY: within the allocation, by the check above.
        return unsafe memory + index * pitch + PacketRing.headroom
    }

    /// The `byteCount` bytes in front of a datagram that is the first of its slot, for a header that leaves with it.
    @_lifetime(&self)
    public mutating func header(before datagram: ReceivedDatagram, byteCount: Int) -> MutableRawSpan {
        precondition(datagram.offset == 0 && byteCount >= 0 && byteCount <= PacketRing.headroom)
        // SAFETY: every slot has that much room in front, which the kernel never writes; the span is bound to the ring.
        let start = unsafe slot(datagram.slot) - byteCount
        let span = unsafe MutableRawSpan(_unsafeStart: start, byteCount: byteCount)
        return unsafe _overrideLifetime(span, mutating: &self)
    }

    /// Gives out the next `count` slots.
    mutating func take(_ count: Int) {
        precondition(count >= 0 && count <= free)
        used += count
    }

    /// What was received into a slot. It lives no longer than the ring, and the ring cannot be refilled meanwhile.
    @_lifetime(borrow self)
    public borrowing func bytes(of datagram: ReceivedDatagram) -> RawSpan {
        precondition(
            datagram.byteCount >= 0 && datagram.offset >= 0 && datagram.byteCount &+ datagram.offset <= slotCapacity
        )
        // SAFETY: the slot has that many bytes and the kernel wrote them; the span is bound to the borrow of the ring.
        let start = unsafe UnsafeRawPointer(slot(datagram.slot) + datagram.offset)
        let span = unsafe RawSpan(_unsafeStart: start, byteCount: datagram.byteCount)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// Takes all slots back for the next datagrams.
    ///
    /// What `batch` holds may point into them, so it has to be flushed first.
    public mutating func reuse(after batch: borrowing SendBatch) {
        precondition(batch.isEmpty, "flush the batch before its payloads are overwritten")
        used = 0
    }
}

extension PacketRing {
    /// Where a slot lies, as a number: for tests that follow a payload.
    package func address(ofSlot index: Int) -> UInt {
        // SAFETY: the address is looked at, never followed.
        unsafe UInt(bitPattern: slot(index))
    }
}
