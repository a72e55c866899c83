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

    /// How many elements fit in all.
    public let maximumCount: Int
    @usableFromInline var elementCount: Int
    @usableFromInline var places: [Place]
    @usableFromInline var free: [UInt32]

    /// An empty slab that refuses more than `maximumCount` elements at a time.
    @inlinable
    public init(maximumCount: Int) {
        precondition(maximumCount >= 0 && maximumCount < Int(UInt32.max), "places are counted in 32 bits")
        self.maximumCount = maximumCount
        elementCount = 0
        places = []
        free = []
    }

    /// How many elements there are.
    @inlinable
    public var count: Int { elementCount }

    /// How many places were ever used; `index(at:)` takes a number below it.
    @inlinable
    public var placeCount: Int { places.count }

    /// Puts `element` away under a new name; nil if the slab is full.
    @inlinable
    public mutating func insert(_ element: Element) -> SlabIndex? {
        guard elementCount < maximumCount else { return nil }
        elementCount += 1
        if let slot = free.popLast() {
            places[Int(slot)].element = element
            return SlabIndex(slot: slot, generation: places[Int(slot)].generation)
        }
        places.append(Place(generation: 0, element: element))
        return SlabIndex(slot: UInt32(places.count - 1), generation: 0)
    }

    /// The element of that name, nil if it was removed. Setting is for elements that are there; otherwise it does nothing.
    @inlinable
    public subscript(index: SlabIndex) -> Element? {
        get { place(of: index).flatMap { places[$0].element } }
        set {
            guard let place = place(of: index), let newValue else { return }
            places[place].element = newValue
        }
    }

    /// Changes the element of that name in place, without copying it out and in; nil if it was removed.
    @inlinable
    public mutating func update<Result>(_ index: SlabIndex, _ change: (inout Element) -> Result) -> Result? {
        guard let place = place(of: index) else { return nil }
        // Taken out and put back, so that the change works on the only copy.
        guard var element = places[place].element.take() else { return nil }
        defer { places[place].element = element }
        return change(&element)
    }

    /// Removes the element of that name and answers it. Its place gets a new generation.
    @inlinable
    @discardableResult
    public mutating func remove(_ index: SlabIndex) -> Element? {
        guard let place = place(of: index) else { return nil }
        let removed = places[place].element
        places[place].element = nil
        elementCount -= 1
        // A place whose generations are used up is retired: a name that came round again could mean somebody else.
        if places[place].generation < .max {
            places[place].generation += 1
            free.append(index.slot)
        }
        return removed
    }

    /// The name of the element in place number `place`, nil if nothing is there; for sweeps with bounded work.
    @inlinable
    public func index(at place: Int) -> SlabIndex? {
        guard places.indices.contains(place), places[place].element != nil else { return nil }
        return SlabIndex(slot: UInt32(place), generation: places[place].generation)
    }

    @inlinable
    func place(of index: SlabIndex) -> Int? {
        let place = Int(index.slot)
        guard place < places.count, places[place].generation == index.generation, places[place].element != nil else {
            return nil
        }
        return place
    }
}
