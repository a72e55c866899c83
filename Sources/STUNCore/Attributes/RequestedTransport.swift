import NetPrimitives

/// The protocol between relay and peer, with its number in the IPv4 header.
public struct RelayTransport: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    /// The IANA protocol number.
    public let rawValue: UInt8

    /// The protocol of that number.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// UDP.
    public static let udp = RelayTransport(rawValue: 17)
    /// TCP (RFC 6062).
    public static let tcp = RelayTransport(rawValue: 6)
}

extension MessageView {
    /// The protocol in REQUESTED-TRANSPORT (RFC 8656 §18.8); nil if there is none or it is malformed.
    public var requestedTransport: RelayTransport? {
        guard let attribute = first(.requestedTransport), attribute.length == 4 else { return nil }
        return value(of: attribute).uint8(at: 0).map { RelayTransport(rawValue: $0) }
    }
}

extension MessageBuilder {
    /// Appends REQUESTED-TRANSPORT.
    public mutating func appendRequestedTransport(_ transport: RelayTransport) {
        appendHeader(.requestedTransport, length: 4)
        writer.append(UInt32(transport.rawValue) << 24)
    }
}
