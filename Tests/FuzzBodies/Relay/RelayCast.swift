import NetPrimitives
import STUNCore
import STUNServer

/// Who takes part in every history: few, so that everybody meets everybody.
enum RelayCast {
    static let realm = "example.org"
    static let listener = SocketID(slot: 0, generation: 0)
    static let secret = SharedSecret("a secret")
    /// The time of day at which every history begins.
    static let start: UInt64 = 1_800_000_000

    struct User {
        let name: String
        let keys: [PasswordAlgorithm: IntegrityKey]

        init(_ name: String, _ password: String) {
            self.name = name
            keys = [
                .md5: .longTerm(.md5, username: name, realm: realm, password: password),
                .sha256: .longTerm(.sha256, username: name, realm: realm, password: password),
            ]
        }

        init(_ credential: TimeLimitedCredential) { self.init(credential.username, credential.password) }
    }

    /// Two static users, two time-limited ones of one quota of which one ends soon, and one whom nobody knows.
    static let users = [
        User("alice", "wonderland"), User("bob", "builder"),
        User(.mint(secret: secret, expiry: start + 86_400, name: "~tag~call")),
        User(.mint(secret: secret, expiry: start + 400, name: "~tag~other")),
        User("mallory", "guess"),
    ]

    static let book = CredentialBook(
        realm: realm,
        staticUsers: ["alice": "wonderland", "bob": "builder"],
        sharedSecrets: [secret]
    )

    static let flows = [
        flow(IPAddress(ipv4: 0xC633_6407), 40_000), flow(IPAddress(ipv4: 0xC633_6407), 40_001),
        flow(IPAddress(ipv4: 0xC633_6408), 40_000), flow(IPAddress(ipv6High: 0x2001_0DB8_0001_0000, low: 7), 40_000),
    ]

    /// Documentation networks, whose addresses nobody has: allowed by name, since they are denied by default.
    static let allowedPrefixes = ["203.0.113.0/24", "2001:db8::/32"].compactMap { try? IPPrefix(parsing: $0) }

    static let allowedPeers = [
        Endpoint(address: IPAddress(ipv4: 0xCB00_7101), port: 1_000),
        Endpoint(address: IPAddress(ipv4: 0xCB00_7101), port: 1_001),
        Endpoint(address: IPAddress(ipv4: 0xCB00_7102), port: 65_535),
        Endpoint(address: IPAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 5), port: 1_000),
        Endpoint(address: IPAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 6), port: 1),
    ]

    /// Private, link-local and mapped addresses, and a port that names none.
    static let forbiddenPeers = [
        Endpoint(address: IPAddress(ipv4: 0x0A00_0001), port: 1), Endpoint(address: IPAddress(ipv4: 0), port: 9),
        Endpoint(address: IPAddress(ipv4: 0xA9FE_A9FE), port: 80),
        Endpoint(address: IPAddress(ipv6High: 0, low: 0xFFFF_0A00_0001), port: 5),
        Endpoint(address: IPAddress(ipv6High: 0xFE80_0000_0000_0000, low: 1), port: 5),
        Endpoint(address: IPAddress(ipv4: 0xCB00_7103), port: 0),
    ]

    /// Where this server's own relays live, and how the outside knows the first when it stands behind a NAT.
    static let relayIPv4 = IPAddress(ipv4: 0xC000_0201)
    static let relayIPv6 = IPAddress(ipv6High: 0x2001_0DB8_00FF_0000, low: 1)
    static let externalIPv4 = IPAddress(ipv4: 0xC633_644D)

    /// Peers that may be own relays, if one lives there.
    static let ownPeers = [
        Endpoint(address: externalIPv4, port: 50_000), Endpoint(address: externalIPv4, port: 50_002),
        Endpoint(address: relayIPv4, port: 50_000), Endpoint(address: relayIPv4, port: 50_002),
        Endpoint(address: relayIPv6, port: 50_002),
    ]

    static let peers = allowedPeers + forbiddenPeers + ownPeers

    /// Five channel numbers and two that are none.
    static let channels: [UInt16] = [0x4000, 0x4001, 0x4002, 0x4003, 0x4FFF, 0x3FFF, 0x5000]

    private static func flow(_ address: IPAddress, _ port: UInt16) -> Flow {
        Flow(client: Endpoint(address: address, port: port), socket: listener, transport: .udp)
    }
}
