/// Every setting of the server, by the name it has in the environment.
public enum ConfigurationKey: String, CaseIterable, Sendable {
    case httpHost = "HTTP_HOST"
    case httpPort = "HTTP_PORT"
    case httpTLSCertificate = "HTTP_TLS_CERT"
    case httpTLSKey = "HTTP_TLS_KEY"
    case httpTrustedProxies = "HTTP_TRUSTED_PROXIES"
    case httpMaxBody = "HTTP_MAX_BODY"
    case corsOrigins = "CORS_ORIGINS"

    case databaseURL = "DATABASE_URL"
    case databaseConnections = "DATABASE_CONNECTIONS"
    case databaseMigrate = "DATABASE_MIGRATE"
    case eventRetention = "EVENT_RETENTION"
    case redisURL = "REDIS_URL"
    case redisEmitter = "REDIS_EMITTER"
    case nodeRegion = "NODE_REGION"

    case authMode = "AUTH_MODE"
    case matrixHomeserverURL = "MATRIX_HOMESERVER_URL"
    case matrixPublicURL = "MATRIX_PUBLIC_URL"
    case matrixServerName = "MATRIX_SERVER_NAME"
    case matrixAppServiceToken = "MATRIX_AS_TOKEN"
    case matrixHomeserverToken = "MATRIX_HS_TOKEN"
    case matrixOpenIDServers = "MATRIX_OPENID_SERVERS"
    case matrixStartPower = "MATRIX_START_POWER"
    case matrixStarters = "MATRIX_STARTERS"
    case matrixEncryptedRooms = "MATRIX_ENCRYPTED_ROOMS"

    case turnEnabled = "TURN_ENABLED"
    case turnListen = "TURN_LISTEN"
    case turnRelayIP = "TURN_RELAY_IP"
    case turnPublicHost = "TURN_PUBLIC_HOST"
    case turnPort = "TURN_PORT"
    case turnTLSPort = "TURN_TLS_PORT"
    case turnTLSCertificate = "TURN_TLS_CERT"
    case turnTLSKey = "TURN_TLS_KEY"
    case turnExternalIP = "TURN_EXTERNAL_IP"
    case turnAlternateServer = "TURN_ALTERNATE_SERVER"
    case turnRelayMinPort = "TURN_RELAY_MIN_PORT"
    case turnRelayMaxPort = "TURN_RELAY_MAX_PORT"
    case turnWorkers = "TURN_WORKERS"
    case turnAllowedPeers = "TURN_ALLOWED_PEERS"
    case turnDeniedPeers = "TURN_DENIED_PEERS"
    case turnUserQuota = "TURN_USER_QUOTA"
    case turnTotalQuota = "TURN_TOTAL_QUOTA"
    case turnMaxBPS = "TURN_MAX_BPS"
    case turnTotalBPS = "TURN_TOTAL_BPS"
    case turnUnauthReplies = "TURN_UNAUTH_REPLIES"
    case turnRealm = "TURN_REALM"
    case turnSharedSecret = "TURN_SHARED_SECRET"
    case turnStaticUsers = "TURN_STATIC_USERS"
    case turnCredentialTTL = "TURN_CREDENTIAL_TTL"
    case turnServerURL = "TURN_SERVER_URL"
    case turnUsername = "TURN_USERNAME"
    case turnCredential = "TURN_CREDENTIAL"

    case callRingTimeout = "CALL_RING_TIMEOUT"
    case callConnectTimeout = "CALL_CONNECT_TIMEOUT"
    case callReconnectGrace = "CALL_RECONNECT_GRACE"
    case callMaxParticipants = "CALL_MAX_PARTICIPANTS"
    case callInitiateRate = "CALL_INITIATE_RATE"
    case callWebhookURL = "CALL_WEBHOOK_URL"
    case callWebhookSecret = "CALL_WEBHOOK_SECRET"

    case socketPingInterval = "SOCKET_PING_INTERVAL"
    case socketPingTimeout = "SOCKET_PING_TIMEOUT"
    case socketMaxPayload = "SOCKET_MAX_PAYLOAD"
    case socketsPerUser = "SOCKETS_PER_USER"
    case socketEventRate = "SOCKET_EVENT_RATE"

    case metricsListen = "METRICS_LISTEN"
    case drainTimeout = "DRAIN_TIMEOUT"
    case logLevel = "LOG_LEVEL"
    case logFormat = "LOG_FORMAT"

    /// The command-line flag that carries the setting: `HTTP_PORT` is `--http-port`.
    public var flag: String { "--" + Self.kebabCase(rawValue) }

    /// Whether the value may be given as a file's content by `NAME_FILE`, and must not appear in messages.
    ///
    /// The URLs of databases count as secrets because they carry a password.
    public var isSecret: Bool {
        switch self {
        case .databaseURL, .redisURL, .turnSharedSecret, .turnStaticUsers, .turnCredential, .callWebhookSecret,
            .matrixAppServiceToken, .matrixHomeserverToken:
            true
        default: false
        }
    }

    /// The name that carries a secret's file: `TURN_SHARED_SECRET_FILE`; nil for what is no secret.
    public var fileName: String? { isSecret ? rawValue + "_FILE" : nil }

    static func kebabCase(_ name: String) -> String {
        String(name.lowercased().map { $0 == "_" ? "-" : $0 })
    }
}
