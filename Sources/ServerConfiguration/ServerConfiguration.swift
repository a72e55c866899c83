/// The server's configuration, read and checked: whatever could be refused has been refused.
public struct ServerConfiguration: Sendable {
    /// How users prove who they are.
    public enum Authentication: String, Sendable {
        /// Tokens name their user; loopback only.
        case dev
        /// Access tokens of a homeserver.
        case matrix
        /// No users: STUN and TURN alone.
        case off
    }

    /// How users prove who they are.
    public let authentication: Authentication
    /// The homeserver; nil outside matrix mode.
    public let matrix: MatrixSettings?
    /// REST, Socket.IO and the call page.
    public let http: HTTPSettings
    /// Where calls are kept.
    public let database: DatabaseSettings
    /// How other nodes are heard of; nil if there are none.
    public let redis: RedisSettings?
    /// The relay; nil if it is switched off.
    public let turn: TURNSettings?
    /// What credentials for the relays of all nodes are minted with; nil without other nodes.
    public let sharedSecretOfNodes: String?
    /// All secrets that were given for credentials, with the relay or without, the minting one first.
    public let sharedSecretTexts: [String]
    /// TURN servers of others that clients are told of.
    public let furtherServers: FurtherTURNServers?
    /// How long a minted credential opens allocations.
    public let credentialLifetime: Duration
    /// Rules of calls.
    public let calls: CallSettings
    /// Limits of Socket.IO.
    public let sockets: SocketSettings
    /// Where Prometheus asks; nil if nobody does.
    public let metrics: MetricsSettings?
    /// How long a stopping server waits for what is under way.
    public let drainTimeout: Duration
    /// What is logged, and in which form.
    public let logging: LogSettings

    /// Merges, reads and checks everything; the first thing wrong is thrown.
    ///
    /// `readSecret` is given the path behind a `NAME_FILE` and answers with the file's text, or nil.
    public init(
        _ sources: ConfigurationSources,
        readSecret: (_ path: String) -> String?
    ) throws(ConfigurationFailure) {
        let reader = SettingReader(settings: try sources.merged(readSecret: readSecret))
        try reader.refuseWhatIsNotServed()
        authentication = try reader.authentication()
        matrix = try MatrixSettings(reader, isInUse: authentication == .matrix)
        http = try HTTPSettings(reader)
        database = try DatabaseSettings(reader)
        redis = try RedisSettings(reader)
        let turnIsOn = try reader.boolean(.turnEnabled)
        let turn = try TURNSettings(reader, authentication: authentication)
        self.turn = turnIsOn ? turn : nil
        if case .given(let secrets) = turn.sharedSecret { sharedSecretTexts = secrets } else { sharedSecretTexts = [] }
        sharedSecretOfNodes = redis == nil ? nil : sharedSecretTexts.first
        furtherServers = try FurtherTURNServers(reader)
        credentialLifetime = try reader.duration(.turnCredentialTTL, in: .seconds(10)...(.seconds(30 * 86_400)))
        calls = try CallSettings(reader)
        sockets = try SocketSettings(reader)
        metrics = try MetricsSettings(reader)
        drainTimeout = try reader.duration(.drainTimeout, in: .zero...(.seconds(3_600)))
        logging = try LogSettings(reader)
        try reader.refuseUnsafeCombinations(authentication: authentication, http: http, turn: self.turn)
        if let metrics, metrics.port == http.port, authentication != .off {
            throw reader.failure(.metricsListen, "needs a port of its own; HTTP_PORT is \(http.port)")
        }
        if redis != nil, self.turn?.sharedSecret == .keptInDataDirectory {
            throw reader.failure(
                .redisURL,
                "needs TURN_SHARED_SECRET, the same on every node: clients of each are told of the relays of others"
            )
        }
    }
}

extension SettingReader {
    func authentication() throws(ConfigurationFailure) -> ServerConfiguration.Authentication {
        guard settings[.authMode] != nil else { return text(.matrixHomeserverURL) == nil ? .dev : .matrix }
        return try required(.authMode, "dev, matrix or off", ServerConfiguration.Authentication.init(rawValue:))
    }
}
