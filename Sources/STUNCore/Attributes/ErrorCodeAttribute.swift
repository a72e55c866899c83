import NetPrimitives

extension MessageView {
    /// The code in ERROR-CODE (RFC 8489 §14.8); nil if there is none or it is malformed.
    public var errorCode: ErrorCode? {
        guard let attribute = first(.errorCode) else { return nil }
        let value = value(of: attribute)
        guard let hundreds = value.uint8(at: 2), let number = value.uint8(at: 3) else { return nil }
        guard (3...6).contains(hundreds & 7), number <= 99 else { return nil }
        return ErrorCode(rawValue: UInt16(hundreds & 7) * 100 + UInt16(number))
    }

    /// The reason phrase in ERROR-CODE; nil if there is none or it is no UTF-8.
    public var errorReason: String? {
        guard let attribute = first(.errorCode), attribute.length >= 4,
            let phrase = value(of: attribute).slice(at: 4, length: attribute.length - 4)
        else { return nil }
        return utf8Text(phrase)
    }
}

extension MessageBuilder {
    /// Appends ERROR-CODE with a reason phrase, the recommended one if none is given.
    public mutating func appendErrorCode(_ code: ErrorCode, reason: String? = nil) {
        let reason = reason ?? code.reason
        let length = 4 + reason.utf8.count
        appendHeader(.errorCode, length: length)
        writer.append(UInt16(0))
        writer.append(UInt8(truncatingIfNeeded: code.rawValue / 100))
        writer.append(UInt8(truncatingIfNeeded: code.rawValue % 100))
        writer.append(reason)
        pad(length)
    }
}
