internal import NetPrimitives
internal import STUNCore

/// The effects of one or several calls into `TURNShard`, in order, with the bytes they speak of.
///
/// Made once per shard and reused: storage is allocated at the start and never grows. The shell empties it after every
/// `handle`.
public struct EffectQueue: ~Copyable {
    /// Effects that one request may cause at most.
    static let effectsPerRequest = 12
    /// Arena bytes that one request may use at most: an answer and the names in its events.
    static let bytesPerRequest = 4096

    private var effects: [Effect] = []
    private var names: ByteWriter
    private let effectLimit: Int
    private let byteLimit: Int
    /// Where answers are written.
    var messages: MessageBuilder

    /// A queue for at most `effectLimit` effects that share `byteLimit` bytes.
    public init(effectLimit: Int = 1024, byteLimit: Int = 256 * 1024) {
        precondition(effectLimit >= Self.effectsPerRequest, "too few effects for one request")
        precondition(byteLimit >= Self.bytesPerRequest, "too few bytes for one request")
        self.effectLimit = effectLimit
        self.byteLimit = byteLimit
        effects.reserveCapacity(effectLimit)
        messages = MessageBuilder(capacity: byteLimit)
        names = ByteWriter(capacity: byteLimit)
    }

    /// Number of effects that wait.
    public var count: Int { effects.count }

    /// The effect at `index`, in the order in which they are to be done.
    public subscript(index: Int) -> Effect { effects[index] }

    /// The bytes of a `send` of this queue.
    @_lifetime(borrow self)
    public borrowing func bytes(_ slice: ArenaSlice) -> RawSpan {
        messages.bytes(in: Int(slice.offset)..<Int(slice.offset) + Int(slice.count))
    }

    /// A name in an effect of this queue.
    public borrowing func name(_ slice: ArenaSlice) -> String {
        let bytes = names.bytes(in: Int(slice.offset)..<Int(slice.offset) + Int(slice.count))
        return String(decoding: bytes.copied(), as: UTF8.self)
    }

    /// Forgets all effects and bytes, keeps the storage.
    public mutating func removeAll() {
        effects.removeAll(keepingCapacity: true)
        messages.removeAll()
        names.removeAll()
    }

    /// Whether another request's worth of effects and bytes fits.
    var hasRoom: Bool {
        effects.count + Self.effectsPerRequest <= effectLimit
            && messages.count + Self.bytesPerRequest <= byteLimit
            && names.count + Self.bytesPerRequest <= byteLimit
    }

    mutating func append(_ effect: Effect) {
        precondition(effects.count < effectLimit, "the shell empties the queue after every call")
        effects.append(effect)
    }

    /// Keeps a name for as long as the effects that speak of it.
    mutating func store(_ name: String) -> ArenaSlice {
        let start = names.count
        names.append(name)
        return ArenaSlice(offset: start, count: names.count - start)
    }
}
