import CPacketIO
import Glibc
public import NetPrimitives

/// Where a received datagram lies in the ring, and whom it came from.
public struct ReceivedDatagram: Hashable, Sendable, BitwiseCopyable {
    /// The slot of the ring it was received into.
    public let slot: Int
    /// Where in the slot it begins: elsewhere than at 0 only behind others that the kernel joined it to.
    public let offset: Int
    /// Bytes received.
    public let byteCount: Int
    /// Its sender.
    public let source: Endpoint
}

// SAFETY: @safe because the memory below is its own, freed with it, and reached only through checked indices.
/// Reads many datagrams in one call, into slots of a ring.
///
/// Where a socket joins datagrams (`UDPSocketOptions.joinsDatagrams`), a message of the kernel's may be many in a row of one
/// sender; they are told apart again here, and nobody behind this sees a difference.
@safe
public struct DatagramReceiver: ~Copyable {
    /// Messages one call can read at most.
    public let capacity: Int
    /// The largest datagram that is taken in, whatever a slot has room for.
    public let datagramLimit: Int
    /// Messages read so far, counted round: what the kernel joined is one.
    public private(set) var messageCount: UInt64 = 0
    /// Datagrams larger than that, dropped since the last look: a part of a datagram is no datagram.
    private var truncated: UInt64 = 0
    /// Datagrams of the last call.
    private var count = 0

    private let received: UnsafeMutablePointer<ReceivedDatagram>

    /// Datagrams that the kernel joins into one message at most.
    private static let segmentLimit = Int(packet_segment_limit)

    /// A receiver of at most `capacity` messages a call and of datagrams up to `datagramLimit` bytes.
    public init(capacity: Int, datagramLimit: Int = 65_507) {
        precondition(capacity > 0 && capacity <= 1024 && datagramLimit > 0)
        self.capacity = capacity
        self.datagramLimit = datagramLimit
        // SAFETY: freed in deinit; an entry is read only after it was written, see `datagram(at:)`.
        unsafe received = .allocate(capacity: capacity * Self.segmentLimit)
    }

    deinit {
        // SAFETY: allocated in init, trivial entries, used by nobody after this.
        unsafe received.deallocate()
    }

    /// Reads what waits at `descriptor`, at most `limit` messages and what the ring has room for.
    ///
    /// - Returns: `count`, how many datagrams can be read by `datagram(at:)` until the next call, and `filled`, whether the
    ///   limit was reached, so that more may be waiting. An empty queue is a count of 0; so is an error of the socket, which
    ///   an unconnected UDP socket has none of that lasts.
    public mutating func receive(
        from descriptor: Int32,
        limit: Int,
        into ring: inout PacketRing
    ) -> (count: Int, filled: Bool) {
        count = 0
        let wanted = min(limit, min(capacity, ring.free))
        guard wanted > 0 else { return (0, true) }
        let firstSlot = ring.used
        // SAFETY: the ring has that many records from its first free slot on, and nothing else uses those slots.
        let result = unsafe packet_receive(descriptor, ring.messages + firstSlot, UInt32(wanted))
        return (take(result, from: firstSlot, of: &ring), result.value == wanted)
    }

    /// Reads the next datagram at `descriptor`, in the cheapest call there is: for sockets that join none
    /// (`UDPSocketOptions.joinsDatagrams`).
    ///
    /// - Returns: as `receive(from:limit:into:)` with a limit of one does.
    public mutating func receiveOne(from descriptor: Int32, into ring: inout PacketRing) -> (count: Int, filled: Bool) {
        count = 0
        guard ring.free > 0 else { return (0, true) }
        let slot = ring.used
        // SAFETY: the record of the ring's first free slot, which nothing else uses.
        let result = unsafe packet_receive_from(descriptor, ring.messages + slot)
        return (take(result, from: slot, of: &ring), result.value == 1)
    }

    /// Takes in what a call brought into the slots from `firstSlot` on, and says how many datagrams it was.
    @inline(__always)
    private mutating func take(_ result: packet_result, from firstSlot: Int, of ring: inout PacketRing) -> Int {
        guard result.error == 0 else { return 0 }
        let arrived = Int(result.value)
        messageCount &+= UInt64(arrived)
        ring.take(arrived)
        for slot in firstSlot..<firstSlot &+ arrived { take(slot, of: ring) }
        return count
    }

    /// Takes in what one message holds, and makes its record ready for the next receive.
    @inline(__always)
    private mutating func take(_ slot: Int, of ring: borrowing PacketRing) {
        // SAFETY: the kernel filled the record of this slot.
        let message = unsafe ring.messages + slot
        let byteCount = unsafe Int(message.pointee.length)
        let segment = unsafe Int(packet_message_segment_size(message))
        let wasTruncated = unsafe packet_message_was_truncated(message) != 0
        unsafe packet_message_rearm(message, MemoryLayout<packet_control>.size)
        guard !wasTruncated, segment > 0 || byteCount <= datagramLimit else {
            truncated &+= 1
            return
        }
        guard let source = unsafe Endpoint(packet_sockaddr_load(ring.names + slot)) else { return }
        guard segment > 0, segment < byteCount else {
            return append(ReceivedDatagram(slot: slot, offset: 0, byteCount: byteCount, source: source))
        }
        var offset = 0
        while offset < byteCount {
            let length = min(segment, byteCount &- offset)
            append(ReceivedDatagram(slot: slot, offset: offset, byteCount: length, source: source))
            offset &+= segment
        }
    }

    @inline(__always)
    private mutating func append(_ datagram: ReceivedDatagram) {
        // A kernel that joins more than it ever did would be found out here instead of behind the array.
        guard count < capacity &* Self.segmentLimit else { return }
        // SAFETY: below the number of entries, by the guard.
        unsafe (received + count).initialize(to: datagram)
        count &+= 1
    }

    /// Datagrams dropped since the last look because they were larger than a slot or than the limit.
    public mutating func takeTruncatedCount() -> UInt64 {
        defer { truncated = 0 }
        return truncated
    }

    /// The `index`th datagram of the last call.
    public func datagram(at index: Int) -> ReceivedDatagram {
        precondition(index >= 0 && index < count)
        // SAFETY: written by the last call, by the check above.
        return unsafe received[index]
    }
}
