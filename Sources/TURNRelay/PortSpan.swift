/// An inclusive range of peer ports, trivially copyable.
public struct PortSpan: Hashable, Sendable, BitwiseCopyable {
    /// The lowest port.
    public let lowest: UInt16
    /// The highest port.
    public let highest: UInt16

    /// Every port that a datagram can be sent to.
    public static let all = PortSpan(lowest: 1, highest: .max)

    /// The ports from `lowest` to `highest`, both included.
    @inlinable
    public init(lowest: UInt16, highest: UInt16) {
        self.lowest = lowest
        self.highest = highest
    }

    /// Whether `port` lies in the range.
    @inlinable
    public func contains(_ port: UInt16) -> Bool { lowest <= port && port <= highest }
}
