import NetPrimitives

/// The four-byte header of a ChannelData message (RFC 8656 §12.4).
@frozen
public struct ChannelData: Hashable, Sendable, BitwiseCopyable {
    /// The length of the header.
    public static let headerLength = 4
    /// The numbers that a channel may have (RFC 8656 §12). The first byte is 0x40 to 0x4F.
    public static let channelNumbers: ClosedRange<UInt16> = 0x4000...0x4FFF

    /// The channel.
    public let channelNumber: UInt16
    /// The length of the application data, padding not counted.
    public let length: UInt16

    /// A header for `length` bytes by way of `channelNumber`.
    @inlinable
    public init(channelNumber: UInt16, length: UInt16) {
        self.channelNumber = channelNumber
        self.length = length
    }

    /// Reads the header of a datagram; nil if the channel number is out of range or the datagram is shorter than the
    /// length says. Bytes behind that length are padding, which UDP does not need but may carry.
    public init?(datagram bytes: RawSpan) {
        guard let channelNumber = bytes.uint16(at: 0), let length = bytes.uint16(at: 2),
            Self.channelNumbers.contains(channelNumber), bytes.hasBytes(Int(length), at: Self.headerLength)
        else { return nil }
        self.init(channelNumber: channelNumber, length: length)
    }

    /// Where the application data stands in the datagram.
    @inlinable
    public var payload: Range<Int> { 4..<(4 &+ Int(length)) }

    /// The header's four bytes as one integer in host order; stored big-endian it is the header.
    @inlinable
    public var headerBits: UInt32 { UInt32(channelNumber) << 16 | UInt32(length) }
}
