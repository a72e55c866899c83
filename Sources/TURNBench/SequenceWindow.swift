/// Tells payloads of one flow and direction that come late or twice from those that come in order.
public struct SequenceWindow: Hashable, Sendable, BitwiseCopyable {
    /// How a payload came.
    public enum Arrival: Hashable, Sendable, BitwiseCopyable {
        case inOrder, late, duplicate
    }

    /// How far back duplicates are told from late ones: beyond, a payload counts as late.
    public static let width = 64

    /// One more than the highest number seen; 0 before the first.
    private var next: UInt64 = 0
    /// Bit n: number `next - 1 - n` came.
    private var seen: UInt64 = 0

    /// Nothing came yet.
    public init() {}

    /// Takes the number of a payload that came.
    public mutating func take(_ sequence: UInt64) -> Arrival {
        if sequence >= next {
            let step = sequence &- next &+ 1
            seen = (step >= 64 ? 0 : seen << step) | 1
            next = sequence &+ 1
            return .inOrder
        }
        let back = next &- 1 &- sequence
        guard back < UInt64(Self.width) else { return .late }
        let bit = UInt64(1) << back
        guard seen & bit == 0 else { return .duplicate }
        seen |= bit
        return .late
    }
}
