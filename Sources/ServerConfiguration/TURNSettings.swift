public import NetPrimitives

/// The relay: where it listens, whom it serves and what it relays to.
public struct TURNSettings: Sendable {
    /// Where the secrets of time-limited credentials come from.
    public enum SharedSecret: Hashable, Sendable {
        /// No time-limited credentials.
        case none
        /// The first mints, all verify.
        case given([String])
        /// Made once and kept beside the database: dev mode only.
        case keptInDataDirectory
    }

    /// A user with a fixed password.
    public struct StaticUser: Hashable, Sendable {
        /// The name, without colon and quotes, prepared by the OpaqueString profile.
        public let name: String
        /// The password, prepared likewise.
        public let password: String
    }

    /// Addresses to listen on; a wildcard expands to the interface addresses.
    public let listen: [IPAddress]
    /// Where relay sockets bind, at most one a family; empty: the address the client reached or, behind an external
    /// address, one for all clients.
    public let relayAddresses: [IPAddress]
    /// Name to put into URIs.
    public let publicHost: String?
    /// Port of STUN and TURN.
    public let port: UInt16
    /// What clients are given as relayed address, at most one a family; empty: found at start.
    public let externalAddresses: [IPAddress]
    /// Where new clients are sent while this server drains, at most one a family.
    public let alternateServers: [Endpoint]
    /// Ports of relayed addresses.
    public let relayPorts: ClosedRange<UInt16>
    /// Realm of long-term credentials, prepared by the OpaqueString profile.
    public let realm: String
    /// Secrets of time-limited credentials.
    public let sharedSecret: SharedSecret
    /// Users with fixed passwords.
    public let staticUsers: [StaticUser]
    /// Number of relay threads; nil: the CPUs in the affinity mask.
    public let workers: Int?
    /// May be relayed to though denied.
    public let allowedPeers: [IPPrefix]
    /// Never relayed to; nil: the standard table.
    public let deniedPeers: [IPPrefix]?
    /// Relayed addresses and reserved ports per user; zero: no limit.
    public let userQuota: Int
    /// Relayed addresses and reserved ports on this server; zero: no limit.
    public let totalQuota: Int
    /// Bytes a second per allocation, IP and UDP headers counted; zero: no limit.
    public let maxBytesPerSecond: Int
    /// Bytes a second on this server, IP and UDP headers counted; zero: no limit.
    public let totalBytesPerSecond: Int
    /// 400, 401 and 438 answers a second per unauthenticated source; zero: no limit.
    public let unauthenticatedReplies: Int

    /// The most relay threads; the relay has the same limit.
    public static let workerLimit = 256

    /// Whether only this machine can reach the relay.
    public var listensOnLoopbackOnly: Bool { listen.allSatisfy(\.isLoopback) }

    init(
        _ reader: SettingReader,
        authentication: ServerConfiguration.Authentication
    ) throws(ConfigurationFailure) {
        let isDev = authentication == .dev
        listen = try Self.listenAddresses(reader, isDev: isDev)
        relayAddresses = try reader.addressPerFamily(.turnRelayIP)
        publicHost = try reader.value(.turnPublicHost, "a host name or an IP address") { text in
            let isHost = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".-".contains($0)) }
            return isHost || IPAddress(text) != nil ? text : nil
        }
        port = try reader.port(.turnPort)
        externalAddresses = try reader.addressPerFamily(.turnExternalIP)
        let own = (listen + externalAddresses).map { [port] in Endpoint(address: $0, port: port) }
        alternateServers = try Self.alternateServers(reader, port: port, own: own)
        relayPorts = try Self.relayPorts(reader)
        realm = try reader.required(.turnRealm, "at most 28 bytes of printable characters without quotes") { text in
            guard let realm = OpaqueString.prepare(text), realm.unicodeScalars.count <= 127 else { return nil }
            // By code points: a quote with an accent on it is one character, and another than a quote.
            return realm.unicodeScalars.contains { $0 == "\"" || $0 == "\\" } ? nil : realm
        }
        sharedSecret = try Self.sharedSecret(reader, isDev: isDev)
        staticUsers = try reader.list(
            .turnStaticUsers,
            "name:password, both of printable characters (the OpaqueString profile of RFC 8265), the name without quotes",
            Self.staticUser
        )
        guard Set(staticUsers.map(\.name)).count == staticUsers.count else {
            throw reader.failure(.turnStaticUsers, "names a user twice")
        }
        workers = reader.text(.turnWorkers) == nil ? nil : try reader.number(.turnWorkers, in: 1...Self.workerLimit)
        let defaultAllowed = [IPPrefix("127.0.0.0/8"), IPPrefix("::1/128")].compactMap(\.self)
        let givenAllowed = try reader.peerPrefixes(.turnAllowedPeers)
        if reader.setting(.turnAllowedPeers) == nil {
            allowedPeers = listen.allSatisfy(\.isLoopback) ? defaultAllowed : []
        } else {
            allowedPeers = givenAllowed
        }
        let givenDenied = try reader.peerPrefixes(.turnDeniedPeers)
        deniedPeers = reader.setting(.turnDeniedPeers) == nil ? nil : givenDenied
        userQuota = try Self.limit(.turnUserQuota, reader)
        totalQuota = try Self.limit(.turnTotalQuota, reader)
        maxBytesPerSecond = try Self.byteLimit(.turnMaxBPS, reader)
        totalBytesPerSecond = try Self.byteLimit(.turnTotalBPS, reader)
        unauthenticatedReplies =
            reader.setting(.turnUnauthReplies) == nil ? (isDev ? 0 : 50) : try Self.limit(.turnUnauthReplies, reader)
    }

    private static func listenAddresses(
        _ reader: SettingReader,
        isDev: Bool
    ) throws(ConfigurationFailure) -> [IPAddress] {
        guard let setting = reader.setting(.turnListen) else {
            return isDev
                ? [IPAddress("127.0.0.1"), IPAddress("::1")].compactMap(\.self)
                : [.unspecified(.ipv4), .unspecified(.ipv6)]
        }
        guard !setting.value.isEmpty else {
            throw reader.failure(.turnListen, "may not be empty; TURN_ENABLED=false switches the relay off")
        }
        let addresses = try reader.addresses(.turnListen)
        guard Set(addresses).count == addresses.count else {
            throw reader.failure(.turnListen, "names an address twice")
        }
        for address in addresses where address != .unspecified(address.family) {
            try reader.requireHost(address, in: .turnListen)
        }
        return addresses
    }

    private static func relayPorts(_ reader: SettingReader) throws(ConfigurationFailure) -> ClosedRange<UInt16> {
        let first = try reader.port(.turnRelayMinPort)
        let last = try reader.port(.turnRelayMaxPort)
        guard first <= last else {
            throw reader.failure(.turnRelayMinPort, "\(first) lies above TURN_RELAY_MAX_PORT, \(last)")
        }
        return first...last
    }

    /// Without a port, the other server is expected to have the same one. Whatever is known to be this server, among its
    /// `own` endpoints, is no other: it would send its clients to itself.
    private static func alternateServers(
        _ reader: SettingReader,
        port: UInt16,
        own: [Endpoint]
    ) throws(ConfigurationFailure) -> [Endpoint] {
        let servers = try reader.list(.turnAlternateServer, "an address, or address:port with IPv6 in brackets") {
            text in
            if let address = IPAddress(text) { return Endpoint(address: address, port: port) }
            guard let server = try? Endpoint(parsing: text), server.port > 0 else { return nil as Endpoint? }
            return server
        }
        for family in [IPAddress.Family.ipv4, .ipv6] where servers.count(where: { $0.address.family == family }) > 1 {
            throw reader.failure(.turnAlternateServer, "may name at most one server of a family")
        }
        for server in servers {
            try reader.requireHost(server.address, in: .turnAlternateServer)
            guard !own.contains(server) else {
                throw reader.failure(.turnAlternateServer, "\(server) is this server itself; name another one")
            }
        }
        return servers
    }

    private static func sharedSecret(
        _ reader: SettingReader,
        isDev: Bool
    ) throws(ConfigurationFailure) -> SharedSecret {
        guard reader.setting(.turnSharedSecret) != nil else { return isDev ? .keptInDataDirectory : .none }
        let secrets = try reader.list(.turnSharedSecret, "a secret") { $0.isEmpty ? nil : $0 }
        return secrets.isEmpty ? .none : .given(secrets)
    }

    private static func staticUser(_ text: String) -> StaticUser? {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), colon != text.startIndex else { return nil }
        guard let name = OpaqueString.prepare(String(text[..<colon])),
            let password = OpaqueString.prepare(String(text[text.utf8.index(after: colon)...]))
        else { return nil }
        // RFC 8489 §9.2.2 takes quotes out of a name before it makes the key, and hardly any client does.
        guard !name.unicodeScalars.contains("\"") else { return nil }
        // RFC 8489 §14.3: a USERNAME is shorter than 509 bytes.
        return name.utf8.count < 509 ? StaticUser(name: name, password: password) : nil
    }

    private static func limit(_ key: ConfigurationKey, _ reader: SettingReader) throws(ConfigurationFailure) -> Int {
        reader.text(key) == nil ? 0 : try reader.number(key, in: 0...10_000_000)
    }

    private static func byteLimit(
        _ key: ConfigurationKey,
        _ reader: SettingReader
    ) throws(ConfigurationFailure) -> Int {
        reader.text(key) == nil ? 0 : try reader.byteCount(key, in: 0...(1 << 50))
    }
}
