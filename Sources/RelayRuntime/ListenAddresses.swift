import NetPrimitives
import PacketIO

/// What the configured addresses mean on this machine.
struct ListenAddresses: Equatable {
    /// The addresses to bind, each once, in the configured order.
    private(set) var addresses: [IPAddress] = []
    /// Families that were asked for and are not there, in words for the operator.
    private(set) var warnings: [String] = []

    /// Expands wildcards to the interface addresses, loopback only if there is nothing else, and leaves out a family
    /// that the machine does not have.
    init(_ configured: [IPAddress], interfaces: [NetworkInterfaces.Address]) {
        for address in configured {
            let family = interfaces.filter { $0.address.family == address.family }
            guard !family.isEmpty else {
                let name = address.family == .ipv4 ? "IPv4" : "IPv6"
                warnings.append("TURN_LISTEN names \(address), but this machine has no \(name) address; left out")
                continue
            }
            guard address == .unspecified(address.family) else {
                append(address)
                continue
            }
            let outward = family.filter { !$0.isLoopback }
            for interface in outward.isEmpty ? family : outward { append(interface.address) }
        }
    }

    private mutating func append(_ address: IPAddress) {
        if !addresses.contains(address) { addresses.append(address) }
    }
}
