public import NetPrimitives

/// What a request says about a family of the relayed address.
public enum RequestedFamily: Hashable, Sendable, BitwiseCopyable {
    /// The attribute is not there.
    case absent
    /// A family that we know.
    case family(IPAddress.Family)
    /// A number that is no family.
    case unknown
    /// The attribute has a length that it cannot have.
    case malformed
}

extension MessageView {
    /// REQUESTED-ADDRESS-FAMILY (RFC 8656 §18.6).
    public var requestedAddressFamily: RequestedFamily { family(.requestedAddressFamily) }

    /// ADDITIONAL-ADDRESS-FAMILY (RFC 8656 §18.11), also by the number of its draft.
    ///
    /// By that number only what the draft means is taken: whatever else stands there is an attribute we do not know.
    public var additionalAddressFamily: RequestedFamily {
        let standard = family(.additionalAddressFamily)
        guard standard == .absent, family(.draftAdditionalAddressFamily) == .family(.ipv6) else { return standard }
        return .family(.ipv6)
    }

    private func family(_ type: AttributeType) -> RequestedFamily {
        guard let attribute = first(type) else { return .absent }
        guard attribute.length == 4, let number = value(of: attribute).uint8(at: 0) else { return .malformed }
        return IPAddress.Family(rawValue: number).map { .family($0) } ?? .unknown
    }
}

extension MessageBuilder {
    /// Appends REQUESTED-ADDRESS-FAMILY.
    public mutating func appendRequestedAddressFamily(_ family: IPAddress.Family) {
        appendHeader(.requestedAddressFamily, length: 4)
        writer.append(UInt32(family.rawValue) << 24)
    }

    /// Appends ADDITIONAL-ADDRESS-FAMILY.
    public mutating func appendAdditionalAddressFamily(_ family: IPAddress.Family) {
        appendHeader(.additionalAddressFamily, length: 4)
        writer.append(UInt32(family.rawValue) << 24)
    }
}
