extension Endpoint {
    /// The endpoint that `text` writes: `192.0.2.1:3478` or `[2001:db8::1]:3478`.
    public init(parsing text: some StringProtocol) throws(IPTextFailure) {
        let text = Substring(text)
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { throw .port }
        let host = text[..<colon]
        let port = UInt16(try decimal(text[text.utf8.index(after: colon)...], maximum: 65_535))
        let isBracketed = host.utf8.first == UInt8(ascii: "[") && host.utf8.last == UInt8(ascii: "]")
        // By bytes: a bracket and what combines with it are one Character.
        let inside = isBracketed ? host[host.utf8.index(after: host.startIndex)..<host.utf8.index(before: colon)] : host
        let address = try IPAddress(parsing: inside)
        // Brackets belong to IPv6 and to nothing else: without them the last group could be the port.
        guard isBracketed == (address.family == .ipv6) else { throw .address }
        self.init(address: address, port: port)
    }
}

extension Endpoint: CustomStringConvertible {
    /// Address and port, an IPv6 address in brackets.
    public var description: String {
        switch address.family {
        case .ipv4: "\(address):\(port)"
        case .ipv6: "[\(address)]:\(port)"
        }
    }
}
