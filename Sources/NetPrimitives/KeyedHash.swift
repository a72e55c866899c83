/// A key of an `OpenTable`: trivially copyable, and hashed with the table's own secret seed.
public protocol KeyedHashable: Equatable, BitwiseCopyable {
    /// Feeds every word that `==` looks at.
    func hash(into hash: inout KeyedHash)
}

/// A 64-bit hash under a secret seed, for tables whose keys the network chooses.
///
/// Each word goes through a 64×64→128-bit multiplication whose other factor depends on the seed, so that nobody who does
/// not know the seed can prepare keys that share a bucket. It is no cryptographic hash and leaves no process.
@frozen
public struct KeyedHash: BitwiseCopyable, Sendable {
    @usableFromInline var state: UInt64
    @usableFromInline let seed: UInt64

    /// The empty hash under `seed`.
    @inlinable
    public init(seed: UInt64) {
        self.seed = seed
        state = seed ^ 0x9E37_79B9_7F4A_7C15
    }

    /// Mixes in one word.
    @inlinable
    public mutating func combine(_ word: UInt64) {
        let product = (state ^ word).multipliedFullWidth(by: seed | 1)
        // The second term keeps the state moving where the product is zero.
        state = (product.high ^ product.low) &+ (word ^ 0xD6E8_FEB8_6659_FD93)
    }

    /// The hash of all the words so far.
    @inlinable
    public var value: UInt64 {
        var mixed = state ^ seed
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

extension UInt16: KeyedHashable {
    /// Feeds the integer.
    @inlinable
    public func hash(into hash: inout KeyedHash) { hash.combine(UInt64(self)) }
}

extension UInt32: KeyedHashable {
    /// Feeds the integer.
    @inlinable
    public func hash(into hash: inout KeyedHash) { hash.combine(UInt64(self)) }
}

extension UInt64: KeyedHashable {
    /// Feeds the integer.
    @inlinable
    public func hash(into hash: inout KeyedHash) { hash.combine(self) }
}

extension IPAddress: KeyedHashable {
    /// Feeds the bits and the family.
    @inlinable
    public func hash(into hash: inout KeyedHash) {
        hash.combine(high)
        hash.combine(low)
        hash.combine(UInt64(family.rawValue))
    }
}

extension Endpoint: KeyedHashable {
    /// Feeds the address, then port and family in one word.
    @inlinable
    public func hash(into hash: inout KeyedHash) {
        hash.combine(address.high)
        hash.combine(address.low)
        hash.combine(UInt64(address.family.rawValue) << 16 | UInt64(port))
    }
}

extension SocketID: KeyedHashable {
    /// Feeds slot and generation in one word.
    @inlinable
    public func hash(into hash: inout KeyedHash) { hash.combine(rawValue) }
}

extension Flow: KeyedHashable {
    /// Feeds the client's endpoint, the socket and the transport.
    @inlinable
    public func hash(into hash: inout KeyedHash) {
        hash.combine(client.address.high)
        hash.combine(client.address.low)
        let family = UInt64(client.address.family.rawValue)
        hash.combine(UInt64(transport.rawValue) << 24 | family << 16 | UInt64(client.port))
        hash.combine(socket.rawValue)
    }
}
