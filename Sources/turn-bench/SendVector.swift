import CPacketIO
import Glibc
import NetPrimitives
import PacketIO
import TURNBench

// SAFETY: @safe because the memory below is its own, freed with it, and reached at indices below `capacity`.
/// Packets of the load on their way into one system call: room for each, and the kernel's records of them.
@safe
struct SendVector: ~Copyable {
    /// Packets it holds.
    static let capacity = 64

    private let stride: Int
    private let packets: UnsafeMutableRawPointer
    private let messages: UnsafeMutablePointer<packet_message>
    private let vectors: UnsafeMutablePointer<iovec>
    private let controls: UnsafeMutablePointer<packet_control>
    /// Packets and messages that wait for `send`.
    private(set) var packetCount = 0
    private var messageCount = 0

    /// Room for packets of up to `packetByteCount` bytes.
    init(packetByteCount: Int) {
        stride = (packetByteCount + 63) & ~63
        // SAFETY: arrays of `capacity` entries, initialised here and freed in deinit.
        unsafe packets = .allocate(byteCount: Self.capacity * stride, alignment: 64)
        unsafe packets.initializeMemory(as: UInt8.self, repeating: 0, count: Self.capacity * stride)
        unsafe messages = .allocate(capacity: Self.capacity)
        unsafe messages.initialize(repeating: packet_message(), count: Self.capacity)
        unsafe vectors = .allocate(capacity: Self.capacity)
        unsafe vectors.initialize(repeating: iovec(), count: Self.capacity)
        unsafe controls = .allocate(capacity: Self.capacity)
        unsafe controls.initialize(repeating: packet_control(), count: Self.capacity)
    }

    deinit {
        // SAFETY: allocated in init, trivial contents, used by nobody after this.
        unsafe packets.deallocate()
        unsafe messages.deallocate()
        unsafe vectors.deallocate()
        unsafe controls.deallocate()
    }

    /// Whether another `count` packets fit.
    func hasRoom(for count: Int) -> Bool { packetCount + count <= Self.capacity }

    /// Writes a packet: what goes before the payload, the stamp, and zeros up to `byteCount`.
    @inline(__always)
    mutating func add(prefix: UnsafeRawBufferPointer, _ stamp: PayloadStamp, byteCount: Int) {
        precondition(packetCount < Self.capacity)
        precondition(prefix.count + PayloadStamp.byteCount <= stride && byteCount <= stride)
        // SAFETY: the place of this packet is `stride` bytes long, by the check above.
        let place = unsafe packets + packetCount * stride
        if let source = prefix.baseAddress { unsafe place.copyMemory(from: source, byteCount: prefix.count) }
        var payload = unsafe MutableRawSpan(
            _unsafeStart: place + prefix.count,
            byteCount: PayloadStamp.byteCount
        )
        stamp.write(into: &payload)
        unsafe vectors[packetCount] = iovec(iov_base: place, iov_len: byteCount)
        packetCount += 1
    }

    /// Makes the last `count` packets of `byteCount` bytes each a message for every one, or one that the kernel cuts.
    @inline(__always)
    mutating func seal(last count: Int, to name: UnsafeMutablePointer<packet_sockaddr>?, cutAt byteCount: Int?) {
        let length = unsafe name == nil ? 0 : socklen_t(MemoryLayout<packet_sockaddr>.size)
        let first = packetCount - count
        // SAFETY: there are as many messages as packets; every one is of packets that were written.
        if let byteCount, count > 1 {
            unsafe packet_message_gather(messages + messageCount, vectors + first, count, name, length)
            unsafe packet_message_cut(messages + messageCount, controls + messageCount, UInt16(byteCount))
            messageCount += 1
        } else {
            for index in first..<packetCount {
                unsafe packet_message_gather(messages + messageCount, vectors + index, 1, name, length)
                messageCount += 1
            }
        }
    }

    /// Hands everything to the kernel and starts anew. Answers how many packets it took.
    mutating func send(by descriptor: Int32) -> Int {
        defer {
            packetCount = 0
            messageCount = 0
        }
        var done = 0
        var taken = 0
        while done < messageCount {
            // SAFETY: the first `messageCount` messages are prepared.
            let result =
                packetCount == 1
                ? unsafe packet_send_alone(descriptor, messages)
                : unsafe packet_send(descriptor, messages + done, UInt32(messageCount - done))
            if result.error == EINTR { continue }
            guard result.error == 0, result.value > 0 else {
                done += 1
                continue
            }
            for index in done..<done + Int(result.value) { taken += unsafe Int(messages[index].header.msg_iovlen) }
            done += Int(result.value)
        }
        return taken
    }
}
