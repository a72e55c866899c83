import CPacketIO
import Glibc
import NetPrimitives
import PacketIO
import TURNBench

// SAFETY: @safe because the memory below is its own, freed with it, and reached at checked numbers.
/// The bare forwarder that marks the machine's limit: the system calls of a relay, and nothing else.
@safe
struct Floor: ~Copyable {
    private static let batch = 64
    private static let events = 512
    private static let callsPerListener = 4
    private static let slotBytes = 4096 + 64
    private static let listenerName = SocketID(slot: .max, generation: 0)

    private let listener: UDPSocket
    private let flowLimit: Int
    private var poller: Poller
    private var sockets: [Int: ForwardingSocket] = [:]

    /// By flow: the socket that forwards, the client's address and the peer's.
    private let descriptors: UnsafeMutablePointer<Int32>
    private let clients: UnsafeMutablePointer<packet_sockaddr>
    private let peers: UnsafeMutablePointer<packet_sockaddr>
    /// Received from clients: headers, addresses, bytes.
    private let messages: UnsafeMutablePointer<packet_message>
    private let vectors: UnsafeMutablePointer<iovec>
    private let sources: UnsafeMutablePointer<packet_sockaddr>
    private let slots: UnsafeMutableRawPointer
    /// Received from peers in this pass, with the flow's number in front.
    private let outMessages: UnsafeMutablePointer<packet_message>
    private let outVectors: UnsafeMutablePointer<iovec>
    private let outSlots: UnsafeMutableRawPointer

    private final class ForwardingSocket {
        let socket: UDPSocket
        init(_ socket: consuming UDPSocket) { self.socket = socket }
    }

    /// Where it listens.
    var endpoint: Endpoint { listener.endpoint }

    /// Room for `flowLimit` flows.
    init(listening endpoint: Endpoint, flowLimit: Int) throws {
        let listener = try UDPSocket(
            boundTo: endpoint,
            options: UDPSocketOptions(receiveBufferBytes: 4 << 20, sendBufferBytes: 4 << 20)
        )
        let poller = try Poller(capacity: Self.events)
        try poller.add(listener.descriptor.rawValue, as: Self.listenerName)
        self.listener = listener
        self.poller = poller
        self.flowLimit = flowLimit
        // SAFETY: every array is initialised here (the slots by the kernel) and freed in deinit.
        unsafe descriptors = .allocate(capacity: flowLimit)
        unsafe descriptors.initialize(repeating: -1, count: flowLimit)
        unsafe clients = .allocate(capacity: flowLimit)
        unsafe clients.initialize(repeating: packet_sockaddr(), count: flowLimit)
        unsafe peers = .allocate(capacity: flowLimit)
        unsafe peers.initialize(repeating: packet_sockaddr(), count: flowLimit)
        unsafe messages = .allocate(capacity: Self.batch)
        unsafe messages.initialize(repeating: packet_message(), count: Self.batch)
        unsafe vectors = .allocate(capacity: Self.batch)
        unsafe vectors.initialize(repeating: iovec(), count: Self.batch)
        unsafe sources = .allocate(capacity: Self.batch)
        unsafe sources.initialize(repeating: packet_sockaddr(), count: Self.batch)
        unsafe slots = .allocate(byteCount: Self.batch * Self.slotBytes, alignment: 64)
        unsafe outMessages = .allocate(capacity: Self.events)
        unsafe outMessages.initialize(repeating: packet_message(), count: Self.events)
        unsafe outVectors = .allocate(capacity: Self.events)
        unsafe outVectors.initialize(repeating: iovec(), count: Self.events)
        unsafe outSlots = .allocate(byteCount: Self.events * Self.slotBytes, alignment: 64)
    }

    deinit {
        // SAFETY: allocated in init, trivial contents, used by nobody after this.
        unsafe descriptors.deallocate()
        unsafe clients.deallocate()
        unsafe peers.deallocate()
        unsafe messages.deallocate()
        unsafe vectors.deallocate()
        unsafe sources.deallocate()
        unsafe slots.deallocate()
        unsafe outMessages.deallocate()
        unsafe outVectors.deallocate()
        unsafe outSlots.deallocate()
    }

    /// Forwards until the process is ended.
    mutating func run() throws {
        while true {
            let ready = try poller.wait(timeoutMilliseconds: -1)
            for index in 0..<ready where poller.ready(at: index) == Self.listenerName {
                try forwardFromClients()
            }
            forwardFromPeers(ready)
        }
    }

    private mutating func forwardFromClients() throws {
        for _ in 0..<Self.callsPerListener {
            for index in 0..<Self.batch {
                // SAFETY: below `batch`; a slot has `slotBytes` bytes.
                unsafe packet_message_aim(
                    messages + index,
                    vectors + index,
                    sources + index,
                    slots + index * Self.slotBytes,
                    Self.slotBytes
                )
            }
            let result = unsafe packet_receive(listener.descriptor.rawValue, messages, UInt32(Self.batch))
            guard result.error == 0 else { return }
            for index in 0..<Int(result.value) { try forward(index) }
            guard Int(result.value) == Self.batch else { return }
        }
    }

    @inline(__always)
    private mutating func forward(_ index: Int) throws {
        // SAFETY: the kernel filled this message; the number is compared with the arrays' size.
        let length = unsafe Int(messages[index].length)
        let place = unsafe slots + index * Self.slotBytes
        guard length >= 4 else { return }
        let number = unsafe UInt32(bigEndian: place.loadUnaligned(as: UInt32.self))
        if number == FloorMessage.mark { return try register(index, length) }
        guard number < flowLimit, unsafe descriptors[Int(number)] >= 0 else { return }
        _ = unsafe packet_send_to(
            descriptors[Int(number)],
            place + 4,
            length - 4,
            peers + Int(number),
            socklen_t(MemoryLayout<packet_sockaddr>.size)
        )
    }

    private mutating func register(_ index: Int, _ length: Int) throws {
        // SAFETY: the kernel wrote `length` bytes into the slot, and the sender's address.
        let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(slots + index * Self.slotBytes), byteCount: length)
        guard let message = FloorMessage(parsing: span), Int(message.flow) < flowLimit else { return }
        let flow = Int(message.flow)
        unsafe clients[flow] = unsafe sources[index]
        _ = unsafe packet_sockaddr_store(peers + flow, message.endpoint.coded)
        let forwarding: ForwardingSocket
        if let known = sockets[flow] {
            forwarding = known
        } else {
            forwarding = ForwardingSocket(
                try UDPSocket(
                    boundTo: Endpoint(address: listener.endpoint.address, port: 0),
                    options: UDPSocketOptions(receiveBufferBytes: 256 * 1024, sendBufferBytes: 256 * 1024)
                )
            )
            sockets[flow] = forwarding
            try poller.add(forwarding.socket.descriptor.rawValue, as: SocketID(slot: message.flow, generation: 0))
            unsafe descriptors[flow] = forwarding.socket.descriptor.rawValue
        }
        let answer = FloorMessage(flow: message.flow, endpoint: forwarding.socket.endpoint).bytes
        _ = unsafe answer.withUnsafeBytes { bytes in
            unsafe packet_send_to(
                listener.descriptor.rawValue,
                bytes.baseAddress,
                bytes.count,
                sources + index,
                socklen_t(MemoryLayout<packet_sockaddr>.size)
            )
        }
    }

    private func forwardFromPeers(_ ready: Int) {
        var count = 0
        for index in 0..<ready {
            let name = poller.ready(at: index)
            guard name != Self.listenerName else { continue }
            let flow = Int(name.slot)
            // SAFETY: the poller knows flows below `flowLimit` alone, and reports at most `events` of them.
            let place = unsafe outSlots + count * Self.slotBytes
            let result = unsafe packet_receive_one(descriptors[flow], place + 4, Self.slotBytes - 4)
            guard result.error == 0 else { continue }
            unsafe place.storeBytes(of: name.slot.bigEndian, as: UInt32.self)
            unsafe outVectors[count] = iovec(iov_base: place, iov_len: Int(result.value) + 4)
            unsafe packet_message_gather(
                outMessages + count,
                outVectors + count,
                1,
                clients + flow,
                socklen_t(MemoryLayout<packet_sockaddr>.size)
            )
            count += 1
        }
        var done = 0
        while done < count {
            // SAFETY: the first `count` messages are prepared.
            let result = unsafe packet_send(listener.descriptor.rawValue, outMessages + done, UInt32(count - done))
            done += result.error == 0 ? max(1, Int(result.value)) : 1
        }
    }
}
