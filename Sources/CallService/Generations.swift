/// What was used lately, by key: bounded, and cheap to keep so.
///
/// When as many as fit are young, they become the old ones, and the old ones that nobody asked for since are forgotten.
package struct Generations<Key: Hashable, Value> {
    private let size: Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]

    /// At most twice `size` values.
    package init(size: Int) { self.size = size }

    /// How many there are.
    package var count: Int { young.count + old.count }

    /// The value of a key, which is used by being asked for.
    package mutating func value(_ key: Key) -> Value? {
        if let value = young[key] { return value }
        guard let value = old.removeValue(forKey: key) else { return nil }
        insert(value, key)
        return value
    }

    /// Sets, or with `nil` forgets, the value of a key.
    package mutating func set(_ value: Value?, for key: Key) {
        old[key] = nil
        if let value { insert(value, key) } else { young[key] = nil }
    }

    private mutating func insert(_ value: Value, _ key: Key) {
        if young[key] == nil, young.count >= size {
            old = young
            young = [:]
        }
        young[key] = value
    }
}

extension Generations: Sendable where Key: Sendable, Value: Sendable {}
