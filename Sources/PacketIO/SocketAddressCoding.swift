package import CPacketIO
package import NetPrimitives

extension Endpoint {
    /// The form that the C wrappers take.
    package var coded: packet_endpoint {
        packet_endpoint(
            high: address.high,
            low: address.low,
            port: port,
            family: address.family == .ipv4 ? 4 : 6
        )
    }

    /// What the C wrappers answered; nil for an address of a family that is not IP.
    package init?(_ coded: packet_endpoint) {
        switch coded.family {
        case 4:
            self.init(address: IPAddress(ipv4: UInt32(truncatingIfNeeded: coded.low)), port: coded.port)
        case 6:
            self.init(address: IPAddress(ipv6High: coded.high, low: coded.low), port: coded.port)
        default:
            return nil
        }
    }
}

extension IPAddress {
    /// The family as a socket call wants it.
    var codedFamily: UInt8 { family == .ipv4 ? 4 : 6 }
}
