import NetPrimitives
import TURNRelay

/// Where the allocations of each listener's clients live, and by which addresses clients find the server.
struct RelayPlan: Equatable {
    /// The addresses that are bound.
    let listeners: [IPAddress]
    /// By the index of the listener.
    private(set) var byListener: [RelayAddresses] = []
    /// What clients are told to connect to, at most one address a family.
    private(set) var advertised: [IPAddress] = []
    /// In words for the operator.
    private(set) var warnings: [String] = []

    /// The addresses of relay sockets that peers may be reached at, as bound and as seen from outside.
    ///
    /// Loopback is among them only if there is nothing else: on a server for others, its ports belong to this machine's
    /// own programs, whatever the numbers.
    var ownRelays: [IPAddress] {
        let isLocal = listeners.allSatisfy(\.isLoopback)
        return byListener.compactMap(\.ipv4).reduce(into: []) { addresses, relay in
            for address in [relay.bound, relay.external] where isLocal || !address.isLoopback {
                if !addresses.contains(address) { addresses.append(address) }
            }
        }
    }

    /// Plans for listeners bound at `listeners`.
    ///
    /// - Parameters:
    ///   - listeners: the addresses that are bound.
    ///   - relay: where relay sockets bind instead of the address that the client reached.
    ///   - external: what clients are told instead of the bound address.
    ///   - defaultRouteSource: the address that this machine speaks to the internet from, by family.
    init(
        listeners: [IPAddress],
        relay: [IPAddress],
        external: [IPAddress],
        defaultRouteSource: (IPAddress.Family) -> IPAddress?
    ) {
        self.listeners = listeners
        let outside = external.first { $0.family == .ipv4 }
        let elsewhere = relay.first { $0.family == .ipv4 } ?? listeners.first { $0.family == .ipv4 }
        for listener in listeners {
            let pinned = relay.first { $0.family == .ipv4 }
            let bound = pinned ?? (listener.family == .ipv4 ? listener : elsewhere)
            byListener.append(RelayAddresses(ipv4: bound.map { RelayAddress(bound: $0, external: outside) }))
        }
        for family in [IPAddress.Family.ipv4, .ipv6] {
            let own = listeners.filter { $0.family == family }
            guard let first = own.first else { continue }
            let told =
                external.first { $0.family == family }
                ?? (own.count == 1
                    ? first : defaultRouteSource(family).flatMap { own.contains($0) ? $0 : nil } ?? first)
            advertised.append(told)
        }
        let isPublic = listeners.contains { !$0.isLoopback }
        for address in advertised where isPublic && (address.isPrivate || address.isLoopback) {
            warnings.append(
                "clients are told \(address), which is not reachable from the internet; set TURN_EXTERNAL_IP"
            )
        }
    }
}

extension IPAddress {
    /// RFC 1918, the shared space of RFC 6598, or fc00::/7.
    var isPrivate: Bool {
        switch family {
        case .ipv4:
            ipv4Bits >> 24 == 10 || ipv4Bits >> 20 == 0xAC1 || ipv4Bits >> 16 == 0xC0A8 || ipv4Bits >> 22 == 0x191
        case .ipv6: high >> 57 == 0x7E
        }
    }
}
