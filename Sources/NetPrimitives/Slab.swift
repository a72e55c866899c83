/// The name of a place in a `Slab`, in one use of that place: kept too long, it finds nothing.
@frozen
public struct SlabIndex: Hashable, Sendable, BitwiseCopyable {
    /// Which place.
    public let slot: UInt32
    /// How often the place had been given out before.
    public let generation: UInt32

    /// Names the use of `slot` that `generation` counts.
    @inlinable
    public init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }
}

extension SlabIndex: KeyedHashable {
    /// Feeds both parts in one word.
    @inlinable
    public func hash(into hash: inout KeyedHash) { hash.combine(UInt64(generation) << 32 | UInt64(slot)) }
}

/// Storage with generational names: an element keeps its name and its place until it is removed, and a name never means
/// a later element.
///
/// Memory grows by a chunk at a time and nothing ever moves, so that what is there takes little more than its own size.
@frozen
public struct Slab<Element>: ~Copyable {
    @frozen
    @usableFromInline
    struct Place {
        @usableFromInline var generation: UInt32
        @usableFromInline var element: Element?

        @inlinable
        init(generation: UInt32, element: Element?) {
            self.generation = generation
            self.element = element
        }
    }

    /// How many places come at a time.
    @inlinable static var placesPerChunk: Int { 64 }

    /// How many elements fit in all.
    public let maximumCount: Int
    @usableFromInline var usedPlaceCount: Int
    @usableFromInline var elementCount: Int
    /// All of them full but the last.
    @usableFromInline var chunks: [[Place]]
    @usableFromInline var free: [UInt32]

    /// An empty slab that refuses more than `maximumCount` elements at a time.
    @inlinable
    public init(maximumCount: Int) {
        precondition(maximumCount >= 0 && maximumCount < Int(UInt32.max), "places are counted in 32 bits")
        self.maximumCount = maximumCount
        usedPlaceCount = 0
        elementCount = 0
        chunks = []
        free = []
    }

    /// How many elements there are.
    @inlinable
    public var count: Int { elementCount }

    /// How many places were ever used; `index(at:)` takes a number below it.
    @inlinable
    public var placeCount: Int { usedPlaceCount }

    /// The name that `insert` gives next; nil if the slab is full. For elements that hold their own name.
    @inlinable
    public var nextIndex: SlabIndex? {
        guard elementCount < maximumCount else { return nil }
        guard let slot = free.last else { return SlabIndex(slot: UInt32(usedPlaceCount), generation: 0) }
        return SlabIndex(slot: slot, generation: self[place: Int(slot)].generation)
    }

    /// Puts `element` away under a new name; nil if the slab is full.
    @inlinable
    @discardableResult
    public mutating func insert(_ element: Element) -> SlabIndex? {
        guard let index = nextIndex else { return nil }
        elementCount += 1
        if free.popLast() != nil {
            self[place: Int(index.slot)].element = element
            return index
        }
        if usedPlaceCount.isMultiple(of: Self.placesPerChunk) {
            var chunk: [Place] = []
            chunk.reserveCapacity(Self.placesPerChunk)
            chunks.append(chunk)
        }
        chunks[chunks.count - 1].append(Place(generation: 0, element: element))
        usedPlaceCount += 1
        return index
    }

    /// The element of that name, nil if it was removed. Setting is for elements that are there; otherwise it does nothing.
    @inlinable
    public subscript(index: SlabIndex) -> Element? {
        get { place(of: index).flatMap { self[place: $0].element } }
        set {
            guard let place = place(of: index), let newValue else { return }
            self[place: place].element = newValue
        }
    }

    /// Changes the element of that name in place, without copying it out and in; nil if it was removed.
    @inlinable
    public mutating func update<Result>(_ index: SlabIndex, _ change: (inout Element) -> Result) -> Result? {
        guard let place = place(of: index) else { return nil }
        // Taken out and put back, so that the change works on the only copy.
        guard var element = self[place: place].element.take() else { return nil }
        defer { self[place: place].element = element }
        return change(&element)
    }

    /// Looks at the element in place number `place` where it lies, without copying it out; nil if nothing is there.
    @inlinable
    public func look<Result>(at place: Int, _ look: (borrowing Element) -> Result) -> Result? {
        guard (0..<placeCount).contains(place) else { return nil }
        // SAFETY: the buffer is used inside the closure alone, at an index that it checks.
        return unsafe chunks[place / Self.placesPerChunk].withUnsafeBufferPointer { places in
            guard let element = unsafe places[place % Self.placesPerChunk].element else { return nil }
            return look(element)
        }
    }

    /// Removes the element of that name and answers it. Its place gets a new generation.
    @inlinable
    @discardableResult
    public mutating func remove(_ index: SlabIndex) -> Element? {
        guard let place = place(of: index) else { return nil }
        let removed = self[place: place].element.take()
        elementCount -= 1
        // A place whose generations are used up is retired: a name that came round again could mean somebody else.
        if self[place: place].generation < .max {
            self[place: place].generation += 1
            free.append(index.slot)
        }
        return removed
    }

    /// The name of the element in place number `place`, nil if nothing is there; for sweeps with bounded work.
    @inlinable
    public func index(at place: Int) -> SlabIndex? {
        guard (0..<placeCount).contains(place), self[place: place].element != nil else { return nil }
        return SlabIndex(slot: UInt32(place), generation: self[place: place].generation)
    }

    @inlinable
    func place(of index: SlabIndex) -> Int? {
        let place = Int(index.slot)
        guard
            place < placeCount,
            self[place: place].generation == index.generation,
            self[place: place].element != nil
        else { return nil }
        return place
    }

    @inlinable
    subscript(place place: Int) -> Place {
        get { chunks[place / Self.placesPerChunk][place % Self.placesPerChunk] }
        _modify { yield &chunks[place / Self.placesPerChunk][place % Self.placesPerChunk] }
    }
}
