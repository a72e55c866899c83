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

    /// The addresses of relay sockets that peers may be reached at.
    ///
    /// Loopback is among them only if there is nothing else: on a server for others, its ports belong to this machine's
    /// own programs, whatever the numbers.
    var ownRelays: [RelayAddress] {
        let isLocal = listeners.allSatisfy(\.isLoopback)
        return byListener.flatMap { [$0.ipv4, $0.ipv6].compactMap(\.self) }.reduce(into: []) { addresses, relay in
            guard isLocal || !relay.external.isLoopback, !addresses.contains(relay) else { return }
            addresses.append(relay)
        }
    }

    /// What this server listens on, as bound at `endpoints` and as seen from outside.
    func services(listeningOn endpoints: [Endpoint]) -> [Endpoint] {
        let outside = ownRelays.filter { $0.bound != $0.external }
        return endpoints.reduce(into: endpoints) { services, endpoint in
            for relay in outside where relay.external.family == endpoint.address.family {
                services.append(Endpoint(address: relay.external, port: endpoint.port))
            }
        }
    }

    /// The families that any client can have a relayed address of.
    var relayFamilies: [IPAddress.Family] {
        [.ipv4, .ipv6].filter { family in
            byListener.contains { (family == .ipv4 ? $0.ipv4 : $0.ipv6) != nil }
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
        for listener in listeners {
            func relayAddress(_ family: IPAddress.Family) -> RelayAddress? {
                let pinned = relay.first { $0.family == family }
                let bound =
                    pinned ?? (listener.family == family ? listener : nil)
                    ?? Self.counterpart(of: listener, in: listeners, family, defaultRouteSource(family))
                return bound.map { RelayAddress(bound: $0, external: external.first { $0.family == family }) }
            }
            byListener.append(RelayAddresses(ipv4: relayAddress(.ipv4), ipv6: relayAddress(.ipv6)))
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

    /// Where a client of `listener` gets its relays of the other family: on loopback if it came that way, never if it did
    /// not, since nobody else could reach it there.
    private static func counterpart(
        of listener: IPAddress,
        in listeners: [IPAddress],
        _ family: IPAddress.Family,
        _ defaultRouteSource: IPAddress?
    ) -> IPAddress? {
        let candidates = listeners.filter { $0.family == family }
        let outward = candidates.filter { !$0.isLoopback }
        let usual = outward.first { $0 == defaultRouteSource } ?? outward.first
        return listener.isLoopback ? candidates.first(where: \.isLoopback) ?? usual : usual
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
