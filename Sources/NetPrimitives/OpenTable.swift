// SAFETY: @safe because the memory below is its own, freed with it, and reached at indices that the mask bounds.
/// A flat hash table for trivially copyable keys and values: open addressing, linear probing, at most three quarters full.
///
/// Look-ups borrow the table, allocate nothing and touch no reference count. Removal shifts the following entries back,
/// so there are no tombstones and a long life does not slow it down. Memory grows on insertion only; who is fed by the
/// network checks `count` against its own limit first.
@frozen
@safe
public struct OpenTable<Key: KeyedHashable, Value: BitwiseCopyable>: ~Copyable {
    /// One place of the table. `tag` is the lower half of the key's hash, never zero; zero marks an empty place. It stands in
    /// the middle, where most values leave a gap.
    @frozen
    @usableFromInline
    struct Slot: BitwiseCopyable {
        @usableFromInline var value: Value
        @usableFromInline var tag: UInt32
        @usableFromInline var key: Key

        @inlinable
        init(tag: UInt32, key: Key, value: Value) {
            self.tag = tag
            self.key = key
            self.value = value
        }
    }

    @usableFromInline var slots: UnsafeMutablePointer<Slot>
    @usableFromInline var mask: Int
    @usableFromInline var entryCount: Int
    @usableFromInline let seed: UInt64

    /// An empty table with room for `minimumCapacity` entries before it grows.
    ///
    /// `seed` is secret and belongs to the process: draw it from the system's generator.
    @inlinable
    public init(minimumCapacity: Int, seed: UInt64) {
        precondition(minimumCapacity >= 0 && minimumCapacity <= 1 << 29, "a table of this size is a mistake")
        var size = 16
        while size &* 3 < minimumCapacity &* 4 { size &*= 2 }
        self.seed = seed
        mask = size &- 1
        entryCount = 0
        unsafe slots = Self.emptySlots(size)
    }

    deinit {
        // SAFETY: allocated by this value, which cannot be copied; the contents are trivial.
        unsafe slots.deallocate()
    }

    /// How many entries the table holds.
    @inlinable
    public var count: Int { entryCount }

    /// How many places the table has; `entry(at:)` takes an index below it.
    @inlinable
    public var slotCount: Int { mask &+ 1 }

    /// The value of `key`.
    @inlinable
    public borrowing func value(for key: Key) -> Value? {
        let index = place(of: key, tag: tag(of: key))
        // SAFETY: `place` answers an index below `slotCount`; a place with a tag is initialised.
        return unsafe slots[index].tag == 0 ? nil : slots[index].value
    }

    /// Whether `key` has an entry.
    @inlinable
    public borrowing func contains(_ key: Key) -> Bool {
        // SAFETY: `place` answers an index below `slotCount`.
        unsafe slots[place(of: key, tag: tag(of: key))].tag != 0
    }

    /// The entry in one place of the table, for sweeps with bounded work; nil if the place is empty.
    ///
    /// Insertions and removals move entries, so an index means nothing after either. Indexes wrap around.
    @inlinable
    public borrowing func entry(at index: Int) -> (key: Key, value: Value)? {
        let place = index & mask
        // SAFETY: `& mask` keeps the index below `slotCount`; a place with a tag is initialised.
        return unsafe slots[place].tag == 0 ? nil : (slots[place].key, slots[place].value)
    }

    /// Sets the value of `key` and answers the one it replaces. The only operation that may allocate.
    @inlinable
    @discardableResult
    public mutating func insert(_ value: Value, for key: Key) -> Value? {
        if (entryCount &+ 1) &* 4 > slotCount &* 3 { grow() }
        let tag = tag(of: key)
        let index = place(of: key, tag: tag)
        // SAFETY: `place` answers an index below `slotCount`; a place with a tag is initialised, another is written whole.
        if unsafe slots[index].tag != 0 {
            let replaced = unsafe slots[index].value
            unsafe slots[index].value = value
            return replaced
        }
        unsafe slots[index] = Slot(tag: tag, key: key, value: value)
        entryCount &+= 1
        return nil
    }

    /// Changes the value of `key` in place; answers whether there was one.
    @inlinable
    @discardableResult
    public mutating func update(_ key: Key, _ change: (inout Value) -> Void) -> Bool {
        let index = place(of: key, tag: tag(of: key))
        // SAFETY: `place` answers an index below `slotCount`; a place with a tag is initialised.
        guard unsafe slots[index].tag != 0 else { return false }
        unsafe change(&slots[index].value)
        return true
    }

    /// Removes `key` and answers the value it had.
    @inlinable
    @discardableResult
    public mutating func removeValue(for key: Key) -> Value? {
        var hole = place(of: key, tag: tag(of: key))
        // SAFETY: every index below is masked; only places with a tag are read as entries.
        guard unsafe slots[hole].tag != 0 else { return nil }
        let removed = unsafe slots[hole].value
        var next = (hole &+ 1) & mask
        while unsafe slots[next].tag != 0 {
            let home = unsafe Int(slots[next].tag) & mask
            // An entry may fill the hole unless its home lies cyclically after the hole: then a search would miss it.
            if (next &- home) & mask >= (next &- hole) & mask {
                unsafe slots[hole] = unsafe slots[next]
                hole = next
            }
            next = (next &+ 1) & mask
        }
        unsafe slots[hole].tag = 0
        entryCount &-= 1
        return removed
    }

    /// Removes all entries and keeps the memory.
    @inlinable
    public mutating func removeAll() {
        // SAFETY: every index below `slotCount` is ours, and a zero tag makes a place empty whatever else it holds.
        for index in 0..<slotCount { unsafe slots[index].tag = 0 }
        entryCount = 0
    }

    @inlinable
    borrowing func tag(of key: Key) -> UInt32 {
        var hash = KeyedHash(seed: seed)
        key.hash(into: &hash)
        let tag = UInt32(truncatingIfNeeded: hash.value)
        return tag == 0 ? 1 : tag
    }

    /// The place that holds `key`, or the empty one where it would go. Ends because a quarter of the places is empty.
    @inlinable
    borrowing func place(of key: Key, tag: UInt32) -> Int {
        var index = Int(tag) & mask
        // SAFETY: the index is masked; a key is read only where a tag says that there is one.
        while unsafe slots[index].tag != 0 {
            if unsafe slots[index].tag == tag && slots[index].key == key { return index }
            index = (index &+ 1) & mask
        }
        return index
    }

    @inlinable
    mutating func grow() {
        let oldSlots = unsafe slots
        let oldSize = slotCount
        unsafe slots = Self.emptySlots(oldSize &* 2)
        mask = oldSize &* 2 &- 1
        // SAFETY: the old places are read within their own size and given back once; the keys in them are distinct, so
        // that `place` finds each an empty place in the new ones.
        for index in 0..<oldSize where unsafe oldSlots[index].tag != 0 {
            let entry = unsafe oldSlots[index]
            unsafe slots[place(of: entry.key, tag: entry.tag)] = entry
        }
        unsafe oldSlots.deallocate()
    }

    /// Zeroed places: a tag of zero is an empty place.
    @inlinable
    static func emptySlots(_ size: Int) -> UnsafeMutablePointer<Slot> {
        let byteCount = MemoryLayout<Slot>.stride &* size
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: MemoryLayout<Slot>.alignment)
        // SAFETY: the whole block is written before it is used, and `Slot` is trivial.
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        return unsafe memory.bindMemory(to: Slot.self, capacity: size)
    }
}
