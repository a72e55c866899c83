public import NetPrimitives

/// What the bare forwarder is told before it forwards: which peer the socket of a flow talks to. It answers with the
/// socket's address. Data carries the flow's number in four bytes where ChannelData has its header.
///
/// The form: the number 0xFFFFFFFF, the flow's number, the port, the family (4 or 6) and the address in sixteen bytes.
public struct FloorMessage: Hashable, Sendable {
    /// The first four bytes, which no flow's number is.
    public static let mark: UInt32 = 0xFFFF_FFFF
    /// The bytes of a message.
    public static let byteCount = 28

    /// The number of the flow.
    public var flow: UInt32
    /// The peer's address in a registration, the relaying socket's in the answer.
    public var endpoint: Endpoint

    /// A message to be sent.
    public init(flow: UInt32, endpoint: Endpoint) {
        self.flow = flow
        self.endpoint = endpoint
    }

    /// Reads a message; nil if the bytes are none.
    public init?(parsing bytes: RawSpan) {
        guard bytes.byteCount == Self.byteCount, bytes.uint32(at: 0) == Self.mark, let flow = bytes.uint32(at: 4),
            let port = bytes.uint16(at: 8), let family = bytes.uint16(at: 10), let high = bytes.uint64(at: 12),
            let low = bytes.uint64(at: 20)
        else { return nil }
        switch family {
        case 4: endpoint = Endpoint(address: IPAddress(ipv4: UInt32(truncatingIfNeeded: low)), port: port)
        case 6: endpoint = Endpoint(address: IPAddress(ipv6High: high, low: low), port: port)
        default: return nil
        }
        self.flow = flow
    }

    /// The message's bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.append(Self.mark)
        writer.append(flow)
        writer.append(endpoint.port)
        writer.append(UInt16(endpoint.address.family == .ipv4 ? 4 : 6))
        writer.append(endpoint.address.high)
        writer.append(endpoint.address.low)
        return writer.bytes(in: 0..<writer.count).copied()
    }
}
