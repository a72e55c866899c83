import NetPrimitives

/// EVEN-PORT (RFC 8656 §18.7): the relayed port is to be even.
public struct EvenPort: Hashable, Sendable, BitwiseCopyable {
    /// Whether the next higher port is to be kept for a later request.
    public let reservesNextPort: Bool

    /// Asks for an even port, and for the one after it if `reservesNextPort`.
    public init(reservesNextPort: Bool) { self.reservesNextPort = reservesNextPort }
}

extension MessageView {
    /// EVEN-PORT; nil if there is none or it is malformed.
    public var evenPort: EvenPort? {
        guard let attribute = first(.evenPort), attribute.length == 1 else { return nil }
        return value(of: attribute).uint8(at: 0).map { EvenPort(reservesNextPort: $0 & 0x80 != 0) }
    }
}

extension MessageBuilder {
    /// Appends EVEN-PORT.
    public mutating func appendEvenPort(_ evenPort: EvenPort) {
        appendHeader(.evenPort, length: 1)
        writer.append(evenPort.reservesNextPort ? UInt8(0x80) : 0)
        pad(1)
    }
}
