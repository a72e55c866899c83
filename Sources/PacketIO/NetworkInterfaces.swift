import CPacketIO
public import NetPrimitives

/// The machine's own addresses.
public enum NetworkInterfaces {
    /// More addresses than this on one machine are not looked at.
    public static let limit = 1024

    /// An address of an interface that is up.
    public struct Address: Hashable, Sendable {
        /// The address itself.
        public let address: IPAddress
        /// Whether its interface is the loopback one.
        public let isLoopback: Bool

        /// An address of an interface, loopback or not.
        public init(address: IPAddress, isLoopback: Bool) {
            self.address = address
            self.isLoopback = isLoopback
        }
    }

    /// All addresses of interfaces that are up, in the kernel's order, link-local ones left out: a socket bound to
    /// those would need to know its interface too.
    public static func addresses() throws(SystemError) -> [Address] {
        // SAFETY: the buffer has room for `limit` entries, all of them initialised before the call writes any.
        let found = unsafe withUnsafeTemporaryAllocation(of: packet_interface_address.self, capacity: limit) {
            buffer -> Result<[Address], SystemError> in
            unsafe buffer.initialize(repeating: packet_interface_address())
            let result = unsafe packet_interface_addresses(buffer.baseAddress, Int32(limit))
            guard result.error == 0 else { return .failure(SystemError(.interfaces, code: result.error)) }
            let addresses = unsafe buffer.prefix(Int(result.value)).compactMap { entry -> Address? in
                guard let endpoint = Endpoint(entry.endpoint), !endpoint.address.isLinkLocal else { return nil }
                return Address(address: endpoint.address, isLoopback: entry.is_loopback != 0)
            }
            return .success(addresses)
        }
        return try found.get()
    }

    /// The address this machine would speak to the internet from; nil without a route there. Sends nothing.
    public static func defaultRouteSource(_ family: IPAddress.Family) -> IPAddress? {
        // Addresses set aside for documentation: any far address will do to ask the routing table.
        let far =
            switch family {
            case .ipv4: IPAddress(ipv4: 0xC000_0201)
            case .ipv6: IPAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 1)
            }
        return source(towards: Endpoint(address: far, port: 9))
    }

    /// The address this machine would speak to `endpoint` from; nil without a route there. Sends nothing.
    public static func source(towards endpoint: Endpoint) -> IPAddress? {
        let opened = packet_udp_socket(endpoint.address.codedFamily)
        guard opened.error == 0 else { return nil }
        let descriptor = OwnedDescriptor(adopting: opened.value)
        guard packet_connect(descriptor.rawValue, endpoint.coded).error == 0,
            let local = Endpoint(packet_local_endpoint(descriptor.rawValue))
        else { return nil }
        return local.address
    }
}

extension IPAddress {
    /// 169.254.0.0/16 or fe80::/10.
    fileprivate var isLinkLocal: Bool {
        switch family {
        case .ipv4: ipv4Bits >> 16 == 0xA9FE
        case .ipv6: high >> 54 == 0xFE80 >> 6
        }
    }
}
