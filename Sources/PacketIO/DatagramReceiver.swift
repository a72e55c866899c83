import CPacketIO
import Glibc
public import NetPrimitives

/// Where a received datagram lies in the ring, and whom it came from.
public struct ReceivedDatagram: Hashable, Sendable, BitwiseCopyable {
    /// The slot of the ring it was received into.
    public let slot: Int
    /// Bytes received.
    public let byteCount: Int
    /// Its sender.
    public let source: Endpoint
}

// SAFETY: @safe because the memory below is its own, freed with it, and reached only through checked indices.
/// Reads many datagrams in one call, with headers that are set up once.
@safe
public struct DatagramReceiver: ~Copyable {
    /// Datagrams one call can read at most.
    public let capacity: Int
    /// Datagrams larger than a slot, dropped since the last look: a part of a datagram is no datagram.
    private var truncated: UInt64 = 0

    private let messages: UnsafeMutablePointer<packet_message>
    private let vectors: UnsafeMutablePointer<iovec>
    private let names: UnsafeMutablePointer<packet_sockaddr>
    private let received: UnsafeMutablePointer<ReceivedDatagram>

    /// A receiver of at most `capacity` datagrams a call.
    public init(capacity: Int) {
        precondition(capacity > 0 && capacity <= 1024)
        self.capacity = capacity
        // SAFETY: four arrays of `capacity` entries, initialised here and freed in deinit.
        unsafe messages = UnsafeMutablePointer<packet_message>.allocate(capacity: capacity)
        unsafe messages.initialize(repeating: packet_message(), count: capacity)
        unsafe vectors = UnsafeMutablePointer<iovec>.allocate(capacity: capacity)
        unsafe vectors.initialize(repeating: iovec(), count: capacity)
        unsafe names = UnsafeMutablePointer<packet_sockaddr>.allocate(capacity: capacity)
        unsafe names.initialize(repeating: packet_sockaddr(), count: capacity)
        unsafe received = UnsafeMutablePointer<ReceivedDatagram>.allocate(capacity: capacity)
        let nothing = ReceivedDatagram(
            slot: 0,
            byteCount: 0,
            source: Endpoint(address: .unspecified(.ipv4), port: 0)
        )
        unsafe received.initialize(repeating: nothing, count: capacity)
    }

    deinit {
        // SAFETY: allocated in init, trivial entries, used by nobody after this.
        unsafe messages.deallocate()
        unsafe vectors.deallocate()
        unsafe names.deallocate()
        unsafe received.deallocate()
    }

    /// Reads what waits at `descriptor`, at most `limit` datagrams and what the ring has room for.
    ///
    /// - Returns: `count`, how many can be read by `datagram(at:)` until the next call, and `filled`, whether the limit
    ///   was reached, so that more may be waiting. An empty queue is a count of 0; so is an error of the socket, which
    ///   an unconnected UDP socket has none of that lasts.
    public mutating func receive(
        from descriptor: Int32,
        limit: Int,
        into ring: inout PacketRing
    ) -> (count: Int, filled: Bool) {
        let wanted = min(limit, min(capacity, ring.free))
        guard wanted > 0 else { return (0, true) }
        let firstSlot = ring.used
        for index in 0..<wanted {
            // SAFETY: every index is below `capacity`, and the slot has `slotCapacity` bytes.
            unsafe packet_message_aim(
                messages + index,
                vectors + index,
                names + index,
                ring.slot(firstSlot &+ index),
                ring.slotCapacity
            )
        }
        // SAFETY: the first `wanted` headers were just pointed at slots that nothing else uses.
        let result = unsafe packet_receive(descriptor, messages, UInt32(wanted))
        guard result.error == 0 else { return (0, false) }
        let arrived = Int(result.value)
        ring.take(arrived)
        var count = 0
        for index in 0..<arrived {
            // SAFETY: the kernel filled the first `arrived` headers, which is at most `wanted`.
            if unsafe packet_message_was_truncated(messages + index) != 0 {
                truncated &+= 1
                continue
            }
            guard let source = unsafe Endpoint(packet_sockaddr_load(names + index)) else { continue }
            unsafe received[count] = ReceivedDatagram(
                slot: firstSlot &+ index,
                byteCount: Int(messages[index].length),
                source: source
            )
            count &+= 1
        }
        return (count, arrived == wanted)
    }

    /// Datagrams dropped since the last look because they were larger than a slot.
    public mutating func takeTruncatedCount() -> UInt64 {
        defer { truncated = 0 }
        return truncated
    }

    /// The `index`th datagram of the last call.
    public func datagram(at index: Int) -> ReceivedDatagram {
        precondition(index >= 0 && index < capacity)
        // SAFETY: within the allocation, all of which was initialised.
        return unsafe received[index]
    }
}
