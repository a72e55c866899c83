import NetPrimitives

extension MessageView {
    /// The channel in CHANNEL-NUMBER (RFC 8656 §18.1), whatever its value; nil if there is none or it is malformed.
    public var channelNumber: UInt16? {
        guard let attribute = first(.channelNumber), attribute.length == 4 else { return nil }
        return value(of: attribute).uint16(at: 0)
    }
}

extension MessageBuilder {
    /// Appends CHANNEL-NUMBER.
    public mutating func appendChannelNumber(_ number: UInt16) {
        appendHeader(.channelNumber, length: 4)
        writer.append(number)
        writer.append(UInt16(0))
    }
}
