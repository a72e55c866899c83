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
        return relays.filter { isLocal || !($0.bound.isLoopback || $0.external.isLoopback) }
    }

    /// The addresses of relay sockets, each once.
    private var relays: [RelayAddress] {
        byListener.flatMap { [$0.ipv4, $0.ipv6].compactMap(\.self) }.reduce(into: []) { addresses, relay in
            if !addresses.contains(relay) { addresses.append(relay) }
        }
    }

    /// What this server listens on, as bound at `endpoints` and as seen from outside.
    func services(listeningOn endpoints: [Endpoint]) -> [Endpoint] {
        let outside = relays.filter { $0.bound != $0.external }
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
        let families: [IPAddress.Family] = [.ipv4, .ipv6]
        let places = families.map { family in
            Place(
                family: family,
                pinned: relay.first { $0.family == family },
                external: external.first { $0.family == family },
                listeners: listeners,
                defaultRouteSource: defaultRouteSource(family)
            )
        }
        for listener in listeners {
            byListener.append(
                RelayAddresses(ipv4: places[0].relay(of: listener), ipv6: places[1].relay(of: listener))
            )
        }
        warnings = places.compactMap(\.warning)
        for family in families {
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

/// Where the relays of one family live.
private struct Place {
    let family: IPAddress.Family
    /// What `TURN_RELAY_IP` says.
    let pinned: IPAddress?
    /// What `TURN_EXTERNAL_IP` says.
    let external: IPAddress?
    /// The listeners of the family that others can reach.
    private let outward: [IPAddress]
    /// The first listener of the family that this machine alone can reach.
    private let local: IPAddress?
    /// The way to the internet, if that is listened on, else the first address that is.
    private let usual: IPAddress?

    init(
        family: IPAddress.Family,
        pinned: IPAddress?,
        external: IPAddress?,
        listeners: [IPAddress],
        defaultRouteSource: IPAddress?
    ) {
        self.family = family
        self.pinned = pinned
        self.external = external
        let own = listeners.filter { $0.family == family }
        outward = own.filter { !$0.isLoopback }
        local = own.first(where: \.isLoopback)
        usual = outward.first { $0 == defaultRouteSource } ?? outward.first
    }

    /// Where a client of `listener` gets its relays: where it came, if that is of the family. If not, on loopback if it
    /// came that way, and never if it did not, since nobody else could reach it there.
    ///
    /// Behind an external address it does not matter where the client came. Every port is given out once for each
    /// address that is bound; of relays bound at two addresses, and both told as one, two could have the same.
    func relay(of listener: IPAddress) -> RelayAddress? {
        let near = listener.isLoopback ? local : nil
        guard let external else {
            let reached = listener.family == family ? listener : nil
            return (pinned ?? reached ?? near ?? usual).map { RelayAddress(bound: $0) }
        }
        return (pinned ?? usual ?? near).map { RelayAddress(bound: $0, external: external) }
    }

    /// Says which of several addresses has the relays, since whatever translates the external address has to lead there.
    var warning: String? {
        guard let external, let usual, pinned == nil, outward.count > 1 else { return nil }
        return "TURN_EXTERNAL_IP \(external) stands for one address, so all relays of its family are bound to "
            + "\(usual); TURN_RELAY_IP names another"
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
