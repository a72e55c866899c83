import NetPrimitives

extension MessageView {
    /// The seconds in LIFETIME (RFC 8656 §18.2); nil if there is none or it is malformed.
    public var lifetimeSeconds: UInt32? {
        guard let attribute = first(.lifetime), attribute.length == 4 else { return nil }
        return value(of: attribute).uint32(at: 0)
    }
}

extension MessageBuilder {
    /// Appends LIFETIME.
    public mutating func appendLifetime(seconds: UInt32) {
        appendHeader(.lifetime, length: 4)
        writer.append(seconds)
    }
}
