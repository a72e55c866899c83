import CPacketIO

// SAFETY: @safe because the memory below is its own, freed with it, and read at checked offsets.
/// Numbers of the system's cryptographic generator, fetched some thousand bytes at a time: most of them cost a load and
/// no system call.
@safe
public struct RandomBytes: ~Copyable {
    /// Bytes fetched in one call.
    public static let capacity = 4096

    private let bytes: UnsafeMutableRawPointer
    private var used = RandomBytes.capacity

    /// Fetches nothing before the first number is asked for.
    public init() {
        // SAFETY: initialised here in full, freed in deinit.
        unsafe bytes = UnsafeMutableRawPointer.allocate(byteCount: RandomBytes.capacity, alignment: 64)
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0, count: RandomBytes.capacity)
    }

    deinit {
        // SAFETY: allocated in init, plain bytes, used by nobody after this.
        unsafe bytes.deallocate()
    }

    /// The next 32 bits, given to nobody else.
    public mutating func nextUInt32() -> UInt32 {
        let offset = take(4)
        // SAFETY: `take` answers an offset with that many bytes behind it, every pattern of which is a number.
        return unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }

    /// The next 64 bits, given to nobody else.
    public mutating func nextUInt64() -> UInt64 {
        let offset = take(8)
        // SAFETY: as in `nextUInt32`.
        return unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    /// Where the next `count` bytes lie that were not yet given out.
    private mutating func take(_ count: Int) -> Int {
        if RandomBytes.capacity &- used < count { fetch() }
        let offset = used
        used &+= count
        return offset
    }

    @inline(never)
    private mutating func fetch() {
        // SAFETY: the kernel writes as many bytes as were allocated.
        let result = unsafe packet_random_fill(bytes, RandomBytes.capacity)
        precondition(result.error == 0, "the system has random bytes")
        used = 0
    }
}
