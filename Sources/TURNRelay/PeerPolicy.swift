public import NetPrimitives

/// Which peers may be relayed to. Deny by default: whatever is not plainly the public internet must be allowed by name.
///
/// Decided address by address, never over a list of them, and in every form that an address has. It is
/// asked when a permission or a channel is made; Send and ChannelData go by its answer, which stands in the entry.
public struct PeerPolicy: Sendable, Hashable {
    private let allowed: [IPPrefix]
    private let denied: [IPPrefix]
    private let ownRelays: [RelayAddress]
    /// This server's services, none of which is ever a peer.
    let ownServices: [Endpoint]

    /// A policy from lists of prefixes; `allowed` beats `denied`, and `neverAllowed` beats both. IPv4 is written as IPv4:
    /// the IPv4 address in another address is judged by the IPv4 prefixes, and a prefix of ::ffff:0:0/96 names nothing.
    ///
    /// `ownServices` is what this server listens on, and what it keeps its state in. Their addresses are no peers unless
    /// `allowed` names them, lest a client speaks to this server, and to what else runs beside it, as if it were the
    /// server itself; they themselves stay closed even then.
    ///
    /// `ownRelays` are the addresses of this server's relay sockets. As the outside sees them, they are open wherever a
    /// relay lives, so that two clients of one server reach each other, and at other ports only if `allowed` names the
    /// address: what else runs on this host is no peer.
    public init(
        allowed: [IPPrefix] = [],
        denied: [IPPrefix] = PeerPolicy.defaultDenied,
        ownServices: [Endpoint] = [],
        ownRelays: [RelayAddress] = []
    ) {
        self.allowed = allowed
        self.denied = denied
        self.ownServices = ownServices
        self.ownRelays = ownRelays
    }

    /// Whether `address` may be reached, and what is left to ask about its ports.
    public func answer(_ address: IPAddress) -> PeerAnswer {
        // An IPv4 peer is reached by an IPv4 relay: an IPv6 socket would only take it out of its family's policy.
        guard !address.isIPv4Mapped else { return .denied }
        let forms = address.reachableForms
        var isAllowed = true
        var isDenied = false
        var hasService = false
        for index in 0..<forms.count {
            let form = forms[index]
            if Self.matches(Self.neverAllowed, form) { return .denied }
            let formAllowed = Self.matches(allowed, form)
            let formHasService = hasOwnService(form)
            isAllowed = isAllowed && formAllowed
            isDenied = isDenied || (!formAllowed && (formHasService || Self.matches(denied, form)))
            hasService = hasService || formHasService
        }
        // Allowed by name and not translated, an own relay is reached like every other peer at its address.
        let asRelay = ownRelays.filter { $0.external == address }
        if isAllowed, asRelay.contains(where: { $0.bound != address }) { return .ownRelayOrOther }
        if !isAllowed {
            if !asRelay.isEmpty { return .ownRelay }
            if isDenied { return .denied }
        }
        return hasService ? .allowedExceptServices : .allowed
    }

    private func hasOwnService(_ address: IPAddress) -> Bool {
        let place = Endpoint(address: address, port: 0).asService.address
        return ownServices.contains { $0.asService.address == place }
    }

    private static func matches(_ prefixes: [IPPrefix], _ address: IPAddress) -> Bool {
        prefixes.contains { $0.contains(address) }
    }
}

extension PeerPolicy {
    /// What `TURN_DENIED_PEERS` is without a setting: private, special and translated address space.
    public static let defaultDenied = prefixes([
        // This host, loopback, private networks, carrier-grade NAT.
        "0.0.0.0/8", "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
        // Protocol assignments, documentation, AS112, AMT, 6to4 anycast, benchmarking.
        "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",
        "192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24", "192.88.99.0/24", "198.18.0.0/15",
        // Multicast, reserved, broadcast.
        "224.0.0.0/4", "240.0.0.0/4",
        // Unspecified, loopback, NAT64, discard.
        "::/128", "::1/128", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64",
        // Teredo and other special assignments, documentation, 6to4, AS112, segment routing.
        "2001::/23", "2001:db8::/32", "3fff::/20", "2002::/16", "2620:4f:8000::/48", "5f00::/16",
        // Unique local, link-local, site-local, multicast.
        "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    ])

    /// What no setting opens: unspecified and link-local addresses, cloud metadata services, multicast, reserved space
    /// and the tunnels that RFC 8656 §21.4 (after RFC 6156 §9.1) forbids.
    public static let neverAllowed = prefixes([
        "0.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32", "224.0.0.0/4", "240.0.0.0/4",
        "::/128", "fe80::/10", "fec0::/10", "fd00:ec2::254/128", "ff00::/8", "2002::/16", "2001::/32",
    ])

    private static func prefixes(_ texts: [String]) -> [IPPrefix] {
        texts.map { text in
            do throws(IPTextFailure) {
                return try IPPrefix(parsing: text)
            } catch {
                preconditionFailure("the built-in prefix \(text) is misspelt")
            }
        }
    }
}
