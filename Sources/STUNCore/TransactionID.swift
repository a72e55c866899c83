/// The 96 bits that tie a response to its request.
public struct TransactionID: Hashable, Sendable, BitwiseCopyable {
    /// The last 64 bits. They come before the others so that a record of 12 bytes has no gap.
    public let low: UInt64
    /// The first 32 bits.
    public let high: UInt32

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
