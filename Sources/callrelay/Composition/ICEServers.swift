import CallModel
import CallService
import Cluster
import NetPrimitives
import STUNServer
import ServerConfiguration
import Signaling

/// The STUN and TURN servers that clients are told of: this one with a credential minted for the asking user, then
/// those of others. Nothing else: no server that the operator did not choose.
struct ICEServers: ICEServerProvider {
    private let stun: [String]
    private let turn: [String]
    private let secret: SharedSecret?
    private let further: FurtherTURNServers?
    private let secondsToLive: Int
    /// The relays of all nodes that clients may be told of, ours among them, for a call or a user; nil if there is only
    /// this one.
    var relays: (@Sendable (_ subject: String) -> [ClusterNode])?

    /// - Parameters:
    ///   - hosts: addresses or names under which STUN is reached; none if the relay is switched off.
    ///   - turnHosts: those of them to relay by.
    ///   - secret: what credentials are minted with; without one only `stun:` is listed.
    init(
        hosts: [String],
        turnHosts: [String],
        port: UInt16,
        secret: SharedSecret?,
        further: FurtherTURNServers?,
        credentialLifetime: Duration
    ) {
        stun = hosts.map { "stun:\($0):\(port)" }
        turn = secret == nil ? [] : turnHosts.map { "turn:\($0):\(port)?transport=udp" }
        self.secret = secret
        self.further = further
        secondsToLive = Int(credentialLifetime.components.seconds)
    }

    /// The URIs of this server, for the operator's eyes.
    var ownURIs: [String] { stun + turn }
    /// This server's own, for others to tell their clients.
    var own: (stun: [String], turn: [String]) { (stun, turn) }

    func iceServers(for user: UserID, call: CallID?, relayOnly: Bool, now: Timestamp) -> ICEConfiguration {
        let expiresAt = now.advanced(byMilliseconds: Int64(secondsToLive) * 1_000)
        var servers: [ICEConfiguration.Server] = []
        // Both sides of a call are told of the same ones: what goes from one to the other goes through one relay.
        let chosen = relays?(call?.rawValue ?? user) ?? []
        // Whatever the others are, this one is better than none.
        let stun = chosen.isEmpty ? stun : chosen.flatMap(\.stun)
        let turn = chosen.isEmpty || secret == nil ? turn : chosen.flatMap(\.turn)
        if !stun.isEmpty { servers.append(ICEConfiguration.Server(urls: stun)) }
        if let secret, !turn.isEmpty {
            let credential = TimeLimitedCredential.mint(
                secret: secret,
                expiry: UInt64(max(expiresAt.milliseconds, 0)) / 1_000,
                tag: RelayUserTag(userID: user, secret: secret),
                callID: call?.rawValue
            )
            servers.append(
                ICEConfiguration.Server(urls: turn, username: credential.username, credential: credential.password)
            )
        }
        servers += furtherServers
        return ICEConfiguration(
            servers: servers,
            transportPolicy: relayOnly ? .relay : .all,
            secondsToLive: secondsToLive,
            expiresAt: expiresAt
        )
    }

    /// A `stun:` URI takes no credential, so those of others stand in an entry of their own.
    private var furtherServers: [ICEConfiguration.Server] {
        guard let further else { return [] }
        let plain = further.uris.filter { $0.hasPrefix("stun") }
        let relays = further.uris.filter { $0.hasPrefix("turn") }
        var servers: [ICEConfiguration.Server] = []
        if !plain.isEmpty { servers.append(ICEConfiguration.Server(urls: plain)) }
        if !relays.isEmpty {
            servers.append(
                ICEConfiguration.Server(urls: relays, username: further.username, credential: further.credential)
            )
        }
        return servers
    }

    /// The hosts to put into URIs: the public name, else the addresses that clients are given. An address of this
    /// machine alone is listed per family, in brackets where it is IPv6.
    static func hosts(publicHost: String?, advertised: [IPAddress]) -> [String] {
        if let publicHost { return [(try? IPAddress(parsing: publicHost)).map(uriHost) ?? publicHost] }
        return advertised.map(uriHost)
    }

    private static func uriHost(_ address: IPAddress) -> String {
        address.family == .ipv6 ? "[\(address)]" : "\(address)"
    }
}
