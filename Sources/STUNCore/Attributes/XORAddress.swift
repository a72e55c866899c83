public import NetPrimitives

/// XOR-MAPPED-ADDRESS, XOR-PEER-ADDRESS and XOR-RELAYED-ADDRESS share one form (RFC 8489 §14.2): port and address are
/// combined with the magic cookie, an IPv6 address with the transaction ID too.
extension MessageView {
    /// The endpoint in `attribute`; nil if its family or length is wrong.
    public func xorAddress(_ attribute: Attribute) -> Endpoint? {
        address(attribute).map { $0.combined(with: transactionID) }
    }

    /// The endpoint in the first attribute of `type`; nil if there is none or it is malformed.
    public func xorAddress(_ type: AttributeType) -> Endpoint? { first(type).flatMap { xorAddress($0) } }

    /// Reads family, port and address as they stand.
    func address(_ attribute: Attribute) -> Endpoint? {
        let value = value(of: attribute)
        guard let rawFamily = value.uint8(at: 1), let port = value.uint16(at: 2) else { return nil }
        switch IPAddress.Family(rawValue: rawFamily) {
        case .ipv4:
            guard attribute.length == 8, let bits = value.uint32(at: 4) else { return nil }
            return Endpoint(address: IPAddress(ipv4: bits), port: port)
        case .ipv6:
            guard attribute.length == 20, let high = value.uint64(at: 4), let low = value.uint64(at: 12) else {
                return nil
            }
            return Endpoint(address: IPAddress(ipv6High: high, low: low), port: port)
        case nil: return nil
        }
    }
}

extension MessageBuilder {
    /// Appends an address attribute of one of the three XOR types.
    public mutating func appendXORAddress(_ type: AttributeType, _ endpoint: Endpoint) {
        appendAddress(type, endpoint.combined(with: transactionID))
    }

    /// Writes family, port and address as they stand.
    mutating func appendAddress(_ type: AttributeType, _ endpoint: Endpoint) {
        appendHeader(type, length: endpoint.address.family == .ipv4 ? 8 : 20)
        writer.append(UInt8(0))
        writer.append(endpoint.address.family.rawValue)
        writer.append(endpoint.port)
        switch endpoint.address.family {
        case .ipv4: writer.append(endpoint.address.ipv4Bits)
        case .ipv6:
            writer.append(endpoint.address.high)
            writer.append(endpoint.address.low)
        }
    }
}

extension Endpoint {
    /// The XOR of RFC 8489 §14.2, which is its own inverse.
    @inlinable
    public func combined(with transactionID: TransactionID) -> Endpoint {
        let cookie = MessageView.magicCookie
        let port = port ^ UInt16(truncatingIfNeeded: cookie >> 16)
        switch address.family {
        case .ipv4: return Endpoint(address: IPAddress(ipv4: address.ipv4Bits ^ cookie), port: port)
        case .ipv6:
            let mask = UInt64(cookie) << 32 | UInt64(transactionID.high)
            let address = IPAddress(ipv6High: address.high ^ mask, low: address.low ^ transactionID.low)
            return Endpoint(address: address, port: port)
        }
    }
}
