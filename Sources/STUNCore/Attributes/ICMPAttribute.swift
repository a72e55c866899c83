import NetPrimitives

/// ICMP (RFC 8656 §18.13): what a router or the peer's host said about a datagram that did not arrive.
public struct ICMPAttribute: Hashable, Sendable, BitwiseCopyable {
    /// The ICMP type, seven bits; what it means depends on the peer's address family.
    public let type: UInt8
    /// The ICMP code, nine bits.
    public let code: UInt16
    /// The MTU of the next hop in "fragmentation needed" and "packet too big", zero otherwise.
    public let errorData: UInt32

    /// An attribute with these values; bits of `type` and `code` that have no room are cut off.
    public init(type: UInt8, code: UInt16, errorData: UInt32 = 0) {
        self.type = type & 0x7F
        self.code = code & 0x1FF
        self.errorData = errorData
    }
}

extension MessageView {
    /// ICMP; nil if there is none or it is malformed. The reserved bits are not looked at.
    public var icmp: ICMPAttribute? {
        guard let attribute = first(.icmp), attribute.length == 8 else { return nil }
        let value = value(of: attribute)
        guard let word = value.uint16(at: 2), let errorData = value.uint32(at: 4) else { return nil }
        return ICMPAttribute(type: UInt8(truncatingIfNeeded: word >> 9), code: word & 0x1FF, errorData: errorData)
    }
}

extension MessageBuilder {
    /// Appends ICMP.
    public mutating func appendICMP(_ icmp: ICMPAttribute) {
        appendHeader(.icmp, length: 8)
        writer.append(UInt16(0))
        writer.append(UInt16(icmp.type) << 9 | icmp.code)
        writer.append(icmp.errorData)
    }
}
