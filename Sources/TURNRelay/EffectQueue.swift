/// The effects of one or several calls into `TURNShard`, in order, with the bytes they speak of.
///
/// Made once per shard and reused: storage is allocated at the start and never grows. The shell empties it after every
/// `handle`; `room` tells the shard whether another unit of work still fits.
public struct EffectQueue: ~Copyable {
    /// Effects that one request may cause at most.
    static let effectsPerRequest = 8
    /// Arena bytes that one request may use at most: an answer and the names in its events.
    static let bytesPerRequest = 4096

    private var effects: [Effect] = []
    private var arena: [UInt8]
    private var used = 0
    private let effectLimit: Int

    /// A queue for at most `effectLimit` effects that share `byteLimit` bytes.
    public init(effectLimit: Int = 1024, byteLimit: Int = 256 * 1024) {
        precondition(
            effectLimit >= Self.effectsPerRequest && byteLimit >= Self.bytesPerRequest,
            "too small to work with"
        )
        self.effectLimit = effectLimit
        effects.reserveCapacity(effectLimit)
        arena = [UInt8](repeating: 0, count: byteLimit)
    }

    /// Number of effects that wait.
    public var count: Int { effects.count }

    /// Whether nothing waits.
    public var isEmpty: Bool { effects.isEmpty }

    /// The effect at `index`, in the order in which they are to be done.
    public subscript(index: Int) -> Effect { effects[index] }

    /// The bytes of an effect in this queue.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let whole = arena.span
            // SAFETY: the elements are plain bytes, every bit pattern and every offset of them is initialised.
            return unsafe whole.bytes
        }
    }

    /// The text of an effect in this queue; ill-formed UTF-8 is repaired.
    public func text(_ slice: ArenaSlice) -> String {
        String(decoding: arena[Int(slice.offset)..<Int(slice.offset) + Int(slice.count)], as: UTF8.self)
    }

    /// Forgets all effects and bytes, keeps the storage.
    public mutating func removeAll() {
        effects.removeAll(keepingCapacity: true)
        used = 0
    }

    /// Whether another request's worth of effects and bytes fits.
    var hasRoom: Bool {
        effects.count + Self.effectsPerRequest <= effectLimit && used + Self.bytesPerRequest <= arena.count
    }

    mutating func append(_ effect: Effect) {
        precondition(effects.count < effectLimit, "the shell empties the queue after every call")
        effects.append(effect)
    }

    /// Copies text into the arena, cut at what is left of it.
    mutating func store(_ text: String) -> ArenaSlice {
        let start = used
        for byte in text.utf8 where used < arena.count {
            arena[used] = byte
            used += 1
        }
        return ArenaSlice(offset: start, count: used - start)
    }
}
