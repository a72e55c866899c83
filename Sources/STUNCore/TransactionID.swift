/// The 96 bits that tie a response to its request.
public struct TransactionID: Hashable, Sendable, BitwiseCopyable {
    /// The first 32 bits.
    public let high: UInt32
    /// The other 64 bits.
    public let low: UInt64

    /// A transaction ID from its bits in network order.
    @inlinable
    public init(high: UInt32, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A new transaction ID. The generator must be cryptographic where the ID has to be unguessable.
    @inlinable
    public static func random(using generator: inout some RandomNumberGenerator) -> TransactionID {
        TransactionID(high: UInt32(truncatingIfNeeded: generator.next()), low: generator.next())
    }
}
