/// Why a text is no IP address, prefix or endpoint.
public enum IPTextFailure: Error, Hashable, Sendable {
    /// Neither four decimal parts nor a well-formed IPv6 address.
    case address
    /// The prefix length is missing, no plain decimal number, or larger than the family's addresses.
    case prefixLength
    /// The address has bits set behind the prefix length.
    case hostBits
    /// The port is missing, no plain decimal number, or above 65535.
    case port
}

extension IPTextFailure: CustomStringConvertible {
    /// A sentence fragment for configuration errors.
    public var description: String {
        switch self {
        case .address: "not an IPv4 or IPv6 address"
        case .prefixLength: "prefix length missing or out of range"
        case .hostBits: "address has bits set behind the prefix length"
        case .port: "port missing or out of range"
        }
    }
}

/// A plain decimal number without sign or leading zeros.
func decimal(_ text: some StringProtocol, maximum: Int) throws(IPTextFailure) -> Int {
    let failure: IPTextFailure = maximum == 65_535 ? .port : .prefixLength
    let digits = text.utf8
    guard let first = digits.first, digits.count <= 5 else { throw failure }
    guard first != UInt8(ascii: "0") || digits.count == 1 else { throw failure }
    var value = 0
    for digit in digits {
        guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { throw failure }
        value = value * 10 + Int(digit - UInt8(ascii: "0"))
    }
    guard value <= maximum else { throw failure }
    return value
}
