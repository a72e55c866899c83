public import NetPrimitives

/// ADDRESS-ERROR-CODE (RFC 8656 §18.12): why one of two requested relayed addresses is missing.
public struct AddressErrorCode: Hashable, Sendable, BitwiseCopyable {
    /// The family that is missing.
    public let family: IPAddress.Family
    /// Why: 440 or 508.
    public let code: ErrorCode

    /// Says why `family` is missing.
    public init(family: IPAddress.Family, code: ErrorCode) {
        self.family = family
        self.code = code
    }
}

extension MessageView {
    /// ADDRESS-ERROR-CODE; nil if there is none or it is malformed.
    public var addressErrorCode: AddressErrorCode? {
        guard let attribute = first(.addressErrorCode) else { return nil }
        let value = value(of: attribute)
        guard
            let family = value.uint8(at: 0).flatMap(IPAddress.Family.init(rawValue:)),
            let hundreds = value.uint8(at: 2), (3...6).contains(hundreds & 7),
            let number = value.uint8(at: 3), number <= 99
        else { return nil }
        return AddressErrorCode(family: family, code: ErrorCode(rawValue: UInt16(hundreds & 7) * 100 + UInt16(number)))
    }
}

extension MessageBuilder {
    /// Appends ADDRESS-ERROR-CODE with the recommended reason phrase.
    public mutating func appendAddressErrorCode(_ error: AddressErrorCode) {
        let length = 4 + error.code.reason.utf8.count
        appendHeader(.addressErrorCode, length: length)
        writer.append(error.family.rawValue)
        writer.append(UInt8(0))
        writer.append(UInt8(truncatingIfNeeded: error.code.rawValue / 100))
        writer.append(UInt8(truncatingIfNeeded: error.code.rawValue % 100))
        writer.append(error.code.reason)
        pad(length)
    }
}
