import NetPrimitives
import PacketIO
import TURNRelay

// SAFETY: @safe because the memory below is its own, grown and freed here alone, and reached through checked slots.
/// A shard's sockets by `SocketID`: listeners in the first slots for good, relay sockets behind them.
///
/// Generations make the identifiers of closed sockets worthless, so that a datagram can never leave by, nor arrive for,
/// whoever has the slot or the descriptor next.
@safe
struct RelaySocketTable: ~Copyable {
    /// What the packet path reads of a slot; few bytes, so that many sockets fit in the cache.
    private struct Entry: BitwiseCopyable {
        /// The socket's number, and -1 in an empty slot.
        var descriptor: Int32 = -1
        var generation: UInt32 = 0
        var burst = ReceiveBurst()
    }

    /// A relay socket of this shard and the lease it stands on. They come in chunks that never move.
    private struct Holding: ~Copyable {
        let lease: RelayLease
        let descriptor: OwnedDescriptor
    }

    private static let holdingsPerChunk = 64

    /// Slots below this are listeners.
    let listenerCount: Int
    /// Relay sockets that are open.
    private(set) var relayCount = 0
    /// Slots that exist; identifiers lie below.
    private(set) var slotCount: Int

    private let listeners: [Listener]
    private let slotLimit: Int
    private var entries: UnsafeMutablePointer<Entry>
    private var holdings: [UnsafeMutablePointer<Holding?>] = unsafe []
    private var freeSlots: [UInt32] = []

    /// A table of these listeners and of at most `relayLimit` relay sockets.
    init(listeners: [Listener], relayLimit: Int) {
        self.listeners = listeners
        listenerCount = listeners.count
        slotLimit = listeners.count + relayLimit
        slotCount = max(64, listeners.count * 2)
        // SAFETY: every slot is initialised here; `deinit` frees them.
        unsafe entries = UnsafeMutablePointer<Entry>.allocate(capacity: slotCount)
        unsafe entries.initialize(repeating: Entry(), count: slotCount)
        for (slot, listener) in listeners.enumerated() {
            unsafe entries[slot].descriptor = listener.socket.descriptor.rawValue
        }
        freeSlots = (UInt32(listenerCount)..<UInt32(slotCount)).reversed()
    }

    deinit {
        for index in unsafe holdings.indices {
            let chunk = unsafe holdings[index]
            // SAFETY: all places of a chunk are initialised at any time; this closes the sockets they own.
            unsafe chunk.deinitialize(count: Self.holdingsPerChunk)
            unsafe chunk.deallocate()
        }
        // SAFETY: trivial entries, used by nobody after this.
        unsafe entries.deallocate()
    }

    /// The descriptor to send by; nil if the socket is gone.
    func descriptor(of socket: SocketID) -> Int32? {
        guard Int(socket.slot) < slotCount else { return nil }
        // SAFETY: a slot below `slotCount`, all of which are initialised.
        let generation = unsafe entries[Int(socket.slot)].generation
        let descriptor = unsafe entries[Int(socket.slot)].descriptor
        return generation == socket.generation && descriptor >= 0 ? descriptor : nil
    }

    /// How many datagrams to ask a relay socket for, and whether they may come joined.
    func burst(of socket: SocketID) -> ReceiveBurst {
        guard Int(socket.slot) < slotCount else { return ReceiveBurst() }
        // SAFETY: a slot below `slotCount`, all of which are initialised.
        return unsafe entries[Int(socket.slot)].burst
    }

    /// Takes notice of what a read in `pass` brought: it decides what `burst(of:)` answers next.
    mutating func noteRead(of socket: SocketID, isFilled: Bool, pass: UInt16, limit: UInt8) {
        guard Int(socket.slot) < slotCount else { return }
        // SAFETY: a slot below `slotCount`, all of which are initialised.
        guard unsafe entries[Int(socket.slot)].burst.note(isFilled: isFilled, pass: pass, limit: limit) else { return }
        unsafe UDPSocket.joinDatagrams(at: entries[Int(socket.slot)].descriptor)
    }

    /// Whether another relay socket fits.
    var hasRoom: Bool { !freeSlots.isEmpty || slotCount < slotLimit }

    /// Takes a relay socket in; `hasRoom` was true.
    mutating func insert(_ socket: consuming UDPSocket, lease: RelayLease) -> SocketID {
        if freeSlots.isEmpty { grow() }
        guard let slot = freeSlots.popLast() else { preconditionFailure("no room in the socket table") }
        let index = Int(slot)
        while unsafe holdings.count * Self.holdingsPerChunk <= index { addChunk() }
        let descriptor = socket.intoDescriptor()
        // SAFETY: a free slot is below `slotCount`, all of which are initialised.
        unsafe entries[index].descriptor = descriptor.rawValue
        unsafe entries[index].burst = ReceiveBurst()
        unsafe holding(at: index).pointee = Holding(lease: lease, descriptor: descriptor)
        relayCount += 1
        return unsafe SocketID(slot: slot, generation: entries[index].generation)
    }

    /// Has a relay socket reported by the poller.
    func watch(_ socket: SocketID, with poller: borrowing Poller) throws(SystemError) {
        guard let descriptor = descriptor(of: socket) else { preconditionFailure("watching a socket that is gone") }
        try poller.add(descriptor, as: socket)
    }

    /// What a relay socket stands on; nil if it is gone already.
    func lease(of socket: SocketID) -> RelayLease? {
        guard Int(socket.slot) >= listenerCount, descriptor(of: socket) != nil else { return nil }
        // SAFETY: a relay socket's slot has a place, which `insert` filled.
        return unsafe holding(at: Int(socket.slot)).pointee?.lease
    }

    /// Closes a relay socket and gives back its lease; nil if it is gone already.
    mutating func remove(_ socket: SocketID) -> RelayLease? {
        guard let lease = lease(of: socket) else { return nil }
        let index = Int(socket.slot)
        // SAFETY: `lease(of:)` found the slot to be a relay socket's.
        unsafe holding(at: index).pointee = nil
        unsafe entries[index].descriptor = -1
        unsafe entries[index].generation &+= 1
        freeSlots.append(socket.slot)
        relayCount -= 1
        return lease
    }

    private func holding(at index: Int) -> UnsafeMutablePointer<Holding?> {
        // SAFETY: the array checks that there is such a chunk, and the remainder lies within it.
        unsafe holdings[index / Self.holdingsPerChunk] + index % Self.holdingsPerChunk
    }

    private mutating func addChunk() {
        // SAFETY: every place is initialised before the chunk is known; `deinit` frees it.
        let chunk = UnsafeMutablePointer<Holding?>.allocate(capacity: Self.holdingsPerChunk)
        for place in 0..<Self.holdingsPerChunk {
            unsafe (chunk + place).initialize(to: nil)
        }
        unsafe holdings.append(chunk)
    }

    private mutating func grow() {
        let larger = min(slotCount * 2, slotLimit)
        precondition(larger > slotCount, "no room in the socket table")
        // SAFETY: the new array is initialised in full before the old one, which nobody else knows, is freed.
        let grown = UnsafeMutablePointer<Entry>.allocate(capacity: larger)
        unsafe grown.initialize(repeating: Entry(), count: larger)
        unsafe grown.update(from: entries, count: slotCount)
        unsafe entries.deallocate()
        unsafe entries = grown
        freeSlots = (UInt32(slotCount)..<UInt32(larger)).reversed()
        slotCount = larger
    }
}
