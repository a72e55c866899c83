public import NetPrimitives

/// Which peers may be relayed to. Deny by default: whatever is not plainly the public internet must be allowed by name.
///
/// Decided address by address, in every form that an address has: its own and the IPv4 addresses it embeds.
public struct PeerPolicy: Sendable, Hashable {
    private let allowed: [IPPrefix]
    private let denied: [IPPrefix]
    private let ownListeners: [IPAddress]
    private let ownRelays: [IPAddress]
    private let relayPorts: PortSpan

    /// A policy from lists of prefixes; `allowed` beats `denied`, and `neverAllowed` beats both.
    ///
    /// `ownListeners` are the addresses that clients are served at: no peers, unless `allowed` names them, lest a client
    /// speaks to this server, and to what else runs on this host, as if it were the server itself.
    ///
    /// `ownRelays` are the addresses that this server's relay sockets have, as bound and as seen from outside. Their
    /// `relayPorts` are always open, so that two clients of one server reach each other, and their other ports only if
    /// `allowed` names the address: what else runs on this host is no peer.
    public init(
        allowed: [IPPrefix] = [],
        denied: [IPPrefix] = PeerPolicy.defaultDenied,
        ownListeners: [IPAddress] = [],
        ownRelays: [IPAddress] = [],
        relayPorts: PortSpan = PortSpan(lowest: 49152, highest: 65535)
    ) {
        self.allowed = allowed
        self.denied = denied
        self.ownListeners = ownListeners
        self.ownRelays = ownRelays
        self.relayPorts = relayPorts
    }

    /// The ports of `address` that may be reached, nil if none may.
    public func ports(of address: IPAddress) -> PortSpan? {
        let (first, second) = address.embeddedIPv4
        var isAllowed = true
        var isDenied = false
        // A mapped address is nothing but its IPv4 form; every other one is reached as itself too.
        let own = address.isIPv4Mapped ? nil : address
        for case .some(let form) in [own, first, second] {
            if Self.matches(Self.neverAllowed, form) { return nil }
            let formAllowed = Self.matches(allowed, form)
            isAllowed = isAllowed && formAllowed
            isDenied = isDenied || (!formAllowed && (Self.matches(denied, form) || ownListeners.contains(form)))
        }
        if isAllowed { return .all }
        if ownRelays.contains(address) { return relayPorts }
        return isDenied ? nil : .all
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
    /// and the tunnels that RFC 8656 §20 (after RFC 6156 §9.1) forbids.
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
