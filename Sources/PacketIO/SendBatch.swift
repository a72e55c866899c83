import CPacketIO
import Glibc
public import NetPrimitives

// SAFETY: @safe because the memory below is its own, freed with it, and reached only through checked indices.
/// Datagrams to be sent at the end of a pass, grouped by the socket they leave from.
///
/// A forwarded payload is not copied: its entry is a gather list of a header written here, the payload where it was
/// received, and up to three bytes of padding. Replies that have no place of their own are copied into an arena.
/// One socket's datagrams keep their order and leave in as few calls as the kernel allows.
///
/// Datagrams of one size that leave one socket for one destination in a row are handed over as one message, which the kernel
/// cuts (UDP_SEGMENT): most of a datagram's cost is paid once for all of them. Where that is not to be had, they leave one by
/// one.
///
/// Those that are not to be fragmented cost two further calls for each run of them, since Linux has the DF bit as an option
/// of the socket; groups without them pay for that with one look at a flag.
@safe
public struct SendBatch: ~Copyable {
    /// Room for a header in front of a payload.
    public static let headerCapacity = 56
    /// Padding never exceeds this.
    public static let paddingLimit = 3

    /// Datagrams it holds at most.
    public let capacity: Int
    /// Datagrams waiting for the flush.
    public internal(set) var count = 0

    private let arenaCapacity: Int
    var arenaUsed = 0
    var groupCount = 0
    private var slotCount: Int

    let entries: UnsafeMutablePointer<Entry>
    /// Three pieces for each entry: header, payload, padding.
    let vectors: UnsafeMutablePointer<iovec>
    let names: UnsafeMutablePointer<packet_sockaddr>
    private let headers: UnsafeMutableRawPointer
    private let arena: UnsafeMutableRawPointer
    let messages: UnsafeMutablePointer<packet_message>
    /// By message: the first of the entries it is made of, and how many those are.
    let runs: UnsafeMutablePointer<Run>
    let controls: UnsafeMutablePointer<packet_control>
    /// The pieces of messages that are made of many entries, one message's after the other's.
    let joined: UnsafeMutablePointer<iovec>
    var joinedCount = 0
    let groups: UnsafeMutablePointer<Group>
    /// By the slot of a socket: which group was its, unless that group turns out to be another's.
    private var groupOfSlot: UnsafeMutablePointer<UInt32>

    /// One datagram: its pieces and its address are in the arrays beside this one, at the same index.
    struct Entry: BitwiseCopyable {
        var next: Int32
        var vectorCount: Int16
        /// Leaves in one piece or not at all.
        var isWhole: Bool
        var nameLength: socklen_t
        /// All pieces together.
        var byteCount: Int32
    }

    /// The datagrams of one socket, in a chain of entries.
    struct Group: BitwiseCopyable {
        var slot: UInt32
        var descriptor: Int32
        var first: Int32
        var last: Int32
        /// Whether any of its entries is whole.
        var hasWhole: Bool
    }

    /// The entries of one message.
    struct Run: BitwiseCopyable {
        var first: Int32
        var count: Int32
    }

    /// A batch of at most `capacity` datagrams, of which the copied ones have `arenaCapacity` bytes together.
    public init(capacity: Int, arenaCapacity: Int) {
        precondition(capacity > 0 && capacity <= 65536 && arenaCapacity > 0)
        self.capacity = capacity
        self.arenaCapacity = arenaCapacity
        slotCount = 64
        // SAFETY: all arrays are initialised here in full and freed in deinit; the header area has one place of
        // `headerStride` bytes for each entry, zeroed once, the rest of each place serving as padding.
        unsafe entries = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
        unsafe entries.initialize(
            repeating: Entry(next: -1, vectorCount: 0, isWhole: false, nameLength: 0, byteCount: 0),
            count: capacity
        )
        unsafe vectors = UnsafeMutablePointer<iovec>.allocate(capacity: capacity * SendBatch.piecesPerEntry)
        unsafe vectors.initialize(repeating: iovec(), count: capacity * SendBatch.piecesPerEntry)
        unsafe names = UnsafeMutablePointer<packet_sockaddr>.allocate(capacity: capacity)
        unsafe names.initialize(repeating: packet_sockaddr(), count: capacity)
        unsafe headers = UnsafeMutableRawPointer.allocate(byteCount: capacity * SendBatch.headerStride, alignment: 64)
        unsafe headers.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * SendBatch.headerStride)
        unsafe arena = UnsafeMutableRawPointer.allocate(byteCount: arenaCapacity, alignment: 16)
        unsafe messages = UnsafeMutablePointer<packet_message>.allocate(capacity: SendBatch.callLimit)
        unsafe messages.initialize(repeating: packet_message(), count: SendBatch.callLimit)
        unsafe runs = UnsafeMutablePointer<Run>.allocate(capacity: SendBatch.callLimit)
        unsafe runs.initialize(repeating: Run(first: -1, count: 0), count: SendBatch.callLimit)
        unsafe controls = UnsafeMutablePointer<packet_control>.allocate(capacity: SendBatch.callLimit)
        unsafe controls.initialize(repeating: packet_control(), count: SendBatch.callLimit)
        unsafe joined = UnsafeMutablePointer<iovec>.allocate(capacity: capacity * SendBatch.piecesPerEntry)
        unsafe joined.initialize(repeating: iovec(), count: capacity * SendBatch.piecesPerEntry)
        unsafe groups = UnsafeMutablePointer<Group>.allocate(capacity: capacity)
        unsafe groups.initialize(
            repeating: Group(slot: 0, descriptor: -1, first: -1, last: -1, hasWhole: false),
            count: capacity
        )
        unsafe groupOfSlot = UnsafeMutablePointer<UInt32>.allocate(capacity: slotCount)
        unsafe groupOfSlot.initialize(repeating: 0, count: slotCount)
    }

    deinit {
        // SAFETY: allocated in init (or `prepare`), trivial contents, used by nobody after this.
        unsafe entries.deallocate()
        unsafe vectors.deallocate()
        unsafe names.deallocate()
        unsafe headers.deallocate()
        unsafe arena.deallocate()
        unsafe messages.deallocate()
        unsafe runs.deallocate()
        unsafe controls.deallocate()
        unsafe joined.deallocate()
        unsafe groups.deallocate()
        unsafe groupOfSlot.deallocate()
    }

    /// Bytes from one header to the next: the header's room and, behind it, the padding.
    private static let headerStride = 64
    static let piecesPerEntry = 3
    /// Datagrams one sendmmsg takes; the kernel's own bound is 1024.
    static let callLimit = 1024

    /// Nothing waits.
    public var isEmpty: Bool { count == 0 }
    /// No further datagram fits.
    public var isFull: Bool { count == capacity }

    /// Makes room for sockets in slots below `slots`. To be called when sockets open, not when packets come.
    public mutating func prepare(slots: Int) {
        guard slots > slotCount else { return }
        var larger = slotCount
        while larger < slots { larger *= 2 }
        // SAFETY: the new array is initialised in full before the old one, which nobody else knows, is freed.
        let grown = UnsafeMutablePointer<UInt32>.allocate(capacity: larger)
        unsafe grown.initialize(repeating: 0, count: larger)
        unsafe grown.update(from: groupOfSlot, count: slotCount)
        unsafe groupOfSlot.deallocate()
        unsafe groupOfSlot = grown
        slotCount = larger
    }

    /// Where the header of the next datagram is to be written before `append` is called.
    public var nextHeader: MutableRawSpan {
        @_lifetime(&self)
        mutating get {
            precondition(!isFull)
            // SAFETY: the place of the next entry, which is not the kernel's before it is appended and flushed.
            let span = unsafe MutableRawSpan(
                _unsafeStart: headers + count * SendBatch.headerStride,
                byteCount: SendBatch.headerCapacity
            )
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }

    /// Adds a received payload, behind a header of `headerByteCount` bytes that was written into `nextHeader`.
    ///
    /// - Parameters:
    ///   - payload: offsets into the received bytes, below 0 where a header was written in front of them
    ///     (`PacketRing.header`). Not copied: the ring's slots must not be reused before the flush.
    ///   - paddingByteCount: zero bytes behind the payload, at most `paddingLimit`.
    ///   - dontFragment: leave in one piece with DF set, or be dropped if the interface takes none so large. For IPv4.
    public mutating func append(
        _ payload: Range<Int>,
        of datagram: ReceivedDatagram,
        in ring: borrowing PacketRing,
        headerByteCount: Int,
        paddingByteCount: Int,
        from socket: SocketID,
        descriptor: Int32,
        to destination: Endpoint,
        dontFragment: Bool = false
    ) {
        precondition(payload.lowerBound >= (datagram.offset == 0 ? -PacketRing.headroom : 0))
        precondition(payload.upperBound <= datagram.byteCount)
        precondition(headerByteCount >= 0 && headerByteCount <= SendBatch.headerCapacity)
        precondition(paddingByteCount >= 0 && paddingByteCount <= SendBatch.paddingLimit)
        let index = enqueue(from: socket, descriptor: descriptor, to: destination)
        // SAFETY: the slot outlives the flush (`PacketRing.reuse` insists on it), the header place is this entry's own,
        // its last bytes, which nobody writes, are the zeros that make the padding, and an entry has three pieces.
        let header = unsafe headers + index * SendBatch.headerStride
        let pieces = unsafe vectors + index * SendBatch.piecesPerEntry
        var used = 0
        if headerByteCount > 0 {
            unsafe pieces[used] = iovec(iov_base: header, iov_len: headerByteCount)
            used &+= 1
        }
        let start = unsafe ring.slot(datagram.slot) + datagram.offset + payload.lowerBound
        unsafe pieces[used] = iovec(iov_base: start, iov_len: payload.count)
        used &+= 1
        if paddingByteCount > 0 {
            unsafe pieces[used] = iovec(iov_base: header + SendBatch.headerCapacity, iov_len: paddingByteCount)
            used &+= 1
        }
        unsafe entries[index].vectorCount = Int16(used)
        unsafe entries[index].byteCount = Int32(headerByteCount &+ payload.count &+ paddingByteCount)
        if dontFragment { markWhole(index, socket) }
    }

    /// Adds a whole datagram by copying it; for replies, never for relayed payloads.
    ///
    /// - Returns: whether it fitted. If not, nothing was added: flush, then append again.
    public mutating func append(
        copying bytes: RawSpan,
        from socket: SocketID,
        descriptor: Int32,
        to destination: Endpoint
    ) -> Bool {
        guard !isFull, bytes.byteCount <= arenaCapacity - arenaUsed else { return false }
        let index = enqueue(from: socket, descriptor: descriptor, to: destination)
        // SAFETY: the arena has room, by the guard; the place is used by this entry alone until the flush.
        let place = unsafe arena + arenaUsed
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(start: place, count: source.count).copyMemory(from: source)
        }
        arenaUsed += bytes.byteCount
        unsafe vectors[index * SendBatch.piecesPerEntry] = iovec(iov_base: place, iov_len: bytes.byteCount)
        unsafe entries[index].vectorCount = 1
        unsafe entries[index].byteCount = Int32(bytes.byteCount)
        return true
    }

    /// Says of the entry just appended that it is not to be fragmented.
    private mutating func markWhole(_ index: Int, _ socket: SocketID) {
        // SAFETY: `enqueue` answered the index, and has just set the group of that slot.
        unsafe entries[index].isWhole = true
        unsafe groups[Int(groupOfSlot[Int(socket.slot)])].hasWhole = true
    }

    /// Links the next entry into its socket's chain.
    private mutating func enqueue(from socket: SocketID, descriptor: Int32, to destination: Endpoint) -> Int {
        precondition(!isFull && Int(socket.slot) < slotCount)
        let index = count
        count &+= 1
        // SAFETY: `index` is below `capacity`, the slot below `slotCount`, and a group index is only used after it was
        // found to be below `groupCount`.
        let nameLength = unsafe packet_sockaddr_store(names + index, destination.coded)
        unsafe entries[index] = Entry(
            next: -1,
            vectorCount: 0,
            isWhole: false,
            nameLength: nameLength,
            byteCount: 0
        )
        let known = unsafe Int(groupOfSlot[Int(socket.slot)])
        if known < groupCount, unsafe groups[known].slot == socket.slot, unsafe groups[known].descriptor == descriptor {
            unsafe entries[Int(groups[known].last)].next = Int32(index)
            unsafe groups[known].last = Int32(index)
        } else {
            unsafe groups[groupCount] = Group(
                slot: socket.slot,
                descriptor: descriptor,
                first: Int32(index),
                last: Int32(index),
                hasWhole: false
            )
            unsafe groupOfSlot[Int(socket.slot)] = UInt32(groupCount)
            groupCount &+= 1
        }
        return index
    }

    /// Where the pieces of an entry lie, as numbers: for tests that follow a payload.
    package func pieces(ofEntry index: Int) -> [(address: UInt, count: Int)] {
        precondition(index >= 0 && index < count)
        // SAFETY: an entry below `count` was written in full, with as many pieces as it says.
        return unsafe (0..<Int(entries[index].vectorCount)).map { piece in
            let vector = unsafe vectors[index * SendBatch.piecesPerEntry + piece]
            return unsafe (UInt(bitPattern: vector.iov_base), vector.iov_len)
        }
    }
}
