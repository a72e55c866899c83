public import CallModel
public import SocketIO

/// What a browser needs to find a path: the servers and the credential for them.
public struct ICEConfiguration: Hashable, Sendable {
    /// Which candidates may be used.
    public enum TransportPolicy: String, Hashable, Sendable {
        /// Any.
        case all
        /// Relayed ones only, so that the peer does not learn the address.
        case relay
    }

    /// One entry of `iceServers`.
    public struct Server: Hashable, Sendable {
        /// `stun:`, `turn:` or `turns:` URIs.
        public var urls: [String]
        /// The TURN username, if these are TURN servers.
        public var username: String?
        /// The TURN password.
        public var credential: String?

        /// An entry of `iceServers`.
        public init(urls: [String], username: String? = nil, credential: String? = nil) {
            self.urls = urls
            self.username = username
            self.credential = credential
        }
    }

    /// The servers, the best first.
    public var servers: [Server]
    /// Which candidates may be used.
    public var transportPolicy: TransportPolicy
    /// Seconds for which the credentials are good.
    public var secondsToLive: Int
    /// When they end.
    public var expiresAt: Timestamp

    /// A configuration to hand to one user.
    public init(servers: [Server], transportPolicy: TransportPolicy, secondsToLive: Int, expiresAt: Timestamp) {
        self.servers = servers
        self.transportPolicy = transportPolicy
        self.secondsToLive = secondsToLive
        self.expiresAt = expiresAt
    }

    /// The JSON form; `iceServers` is what `RTCPeerConnection` takes unchanged.
    public var json: JSONText { .object(jsonMembers) }

    /// The members of `json` in their order, for answers that carry them beside others.
    public var jsonMembers: [(String, JSONText?)] {
        [
            ("iceServers", .array(servers.map(\.json))),
            ("iceTransportPolicy", .string(transportPolicy.rawValue)),
            ("ttl", .integer(secondsToLive)),
            ("expiresAt", expiresAt.json),
        ]
    }
}

extension ICEConfiguration {
    /// What a homeserver answers to `/voip/turnServer`: the first relay's credential with its URIs, and whatever `stun:` URIs
    /// there are; `nil` without a relay, for there is no such answer.
    public var turnServerJSON: JSONText? {
        for server in servers {
            guard let username = server.username, let password = server.credential, !server.urls.isEmpty else {
                continue
            }
            let stun = servers.filter { $0.username == nil }.flatMap(\.urls)
            return .object([
                ("username", .string(username)), ("password", .string(password)),
                ("uris", .array((server.urls + stun).map(JSONText.string))), ("ttl", .integer(secondsToLive)),
            ])
        }
        return nil
    }
}

extension ICEConfiguration.Server {
    var json: JSONText {
        .object([
            ("urls", .array(urls.map(JSONText.string))),
            ("username", username.map(JSONText.string)),
            ("credential", credential.map(JSONText.string)),
        ])
    }
}
