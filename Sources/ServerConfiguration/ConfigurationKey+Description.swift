extension ConfigurationKey {
    /// Section, default and meaning: the one place they are written down.
    public var description: KeyDescription {
        httpDescription ?? dataDescription ?? turnDescription ?? credentialDescription ?? callDescription
            ?? operationDescription
    }

    private var httpDescription: KeyDescription? {
        func http(_ value: KeyDescription.Default, _ meaning: String) -> KeyDescription {
            KeyDescription("HTTP", value, meaning)
        }
        return switch self {
        case .httpHost: http(.value("127.0.0.1"), "Address of REST, Socket.IO and the call page.")
        case .httpPort: http(.value("3000"), "TCP port of the same; 0 takes any free one.")
        case .httpTLSCertificate:
            http(.none, "PEM file with the certificate chain. With HTTP_TLS_KEY: HTTPS and WSS.")
        case .httpTLSKey: http(.none, "PEM file with the certificate's private key.")
        case .httpTrustedProxies:
            http(.none, "Comma-separated CIDRs of the proxies whose X-Forwarded-For counts.")
        case .httpMaxBody: http(.value("256KiB"), "Largest request body; a larger one is answered 413.")
        case .corsOrigins:
            http(.none, "Comma-separated origins of pages elsewhere that may use the server, or *.")
        default: nil
        }
    }

    private var dataDescription: KeyDescription? {
        func data(_ value: KeyDescription.Default, _ meaning: String) -> KeyDescription {
            KeyDescription("Data and identity", value, meaning)
        }
        return switch self {
        case .databaseURL:
            data(
                .value("sqlite:data/callrelay.db"),
                "sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE?sslmode=…, with all that libpq takes."
            )
        case .databaseConnections:
            data(.value("8"), "Connections to PostgreSQL for reading, 1 to 100; one more writes.")
        case .databaseMigrate:
            data(.value("true"), "Whether serve applies pending migrations; false: it exits instead.")
        case .eventRetention:
            data(
                .value("90d"),
                "Audit rows older than this are pruned, calls not before TURN_CREDENTIAL_TTL; empty: kept for ever."
            )
        case .redisURL: data(.none, "redis://…, for several nodes.")
        case .redisEmitter: data(.value("false"), "Whether broadcasts by foreign emitters are accepted.")
        case .nodeRegion: data(.none, "Where this node stands: clients are told of relays in the same region first.")
        case .authMode:
            data(
                .derived("matrix if MATRIX_HOMESERVER_URL is set, else dev", example: "dev"),
                "dev: tokens dev:@alice:localhost, loopback only. matrix: the homeserver's. off: STUN and TURN alone."
            )
        case .matrixHomeserverURL:
            data(.none, "https://… of the one homeserver, where it serves the client-server API.")
        case .matrixPublicURL:
            data(
                .derived("MATRIX_HOMESERVER_URL", example: "https://matrix.example.org"),
                "Where browsers reach the homeserver: the call page signs in there."
            )
        case .matrixServerName:
            data(
                .derived("the host of MATRIX_HOMESERVER_URL", example: "example.org"),
                "The homeserver's name: what its users' ids end in."
            )
        case .matrixAppServiceToken:
            data(
                .none,
                "What this server shows the homeserver as its application service: as_token of the registration."
            )
        case .matrixHomeserverToken:
            data(
                .none,
                "What the homeserver shows this server: hs_token of the registration. See callrelay matrix-registration."
            )
        case .matrixOpenIDServers:
            data(.none, "Other homeservers whose users are let in by OpenID: name=URL of the federation API, …")
        case .matrixStartPower: data(.none, "The least power in a room with which a member may start calls there.")
        case .matrixStarters:
            data(.none, "Who may start calls: users, or :server for all of one. Empty: every member of the room.")
        case .matrixEncryptedRooms:
            data(
                .value("notify_only"),
                "What encrypted rooms are told of calls: notify_only, that there is one; plaintext, all that others are; client_sends, what the caller's client is given to encrypt and send; refuse: no calls."
            )
        default: nil
        }
    }

    private var turnDescription: KeyDescription? {
        func turn(_ value: KeyDescription.Default, _ meaning: String) -> KeyDescription {
            KeyDescription("STUN and TURN", value, meaning)
        }
        return switch self {
        case .turnEnabled: turn(.value("true"), "Whether this server relays; false: only TURN_SERVER_URL is listed.")
        case .turnListen:
            turn(
                .derived("dev: 127.0.0.1,::1; else 0.0.0.0,::", example: "127.0.0.1,::1"),
                "Addresses to listen on. A wildcard expands to the interface addresses."
            )
        case .turnRelayIP:
            turn(
                .derived(
                    "the address the client reached; with TURN_EXTERNAL_IP, one for all: the default route's source",
                    example: "192.0.2.1"
                ),
                "Where relay sockets bind, at most one address a family."
            )
        case .turnPublicHost: turn(.none, "Name or address to put into the stun: and turn: URIs.")
        case .turnPort: turn(.value("3478"), "Port of STUN and TURN.")
        case .turnTLSPort: turn(.value("5349"), "Port of TURN over TLS and DTLS.")
        case .turnTLSCertificate: turn(.none, "PEM file with the certificate chain of the same.")
        case .turnTLSKey: turn(.none, "PEM file with its private key.")
        case .turnExternalIP:
            turn(
                .derived("the listen address; of several, the default route's source address", example: "192.0.2.1"),
                "Address that clients are given, at most one a family, for one address of this machine (TURN_RELAY_IP)."
            )
        case .turnAlternateServer:
            turn(
                .none,
                "Another TURN server that new clients are sent to while this one drains: address or address:port, at "
                    + "most one a family; its port is TURN_PORT unless given. Without one they are refused."
            )
        case .turnRelayMinPort: turn(.value("49152"), "First port of relayed addresses.")
        case .turnRelayMaxPort: turn(.value("65535"), "Last port of relayed addresses.")
        case .turnWorkers:
            turn(
                .derived("the CPUs in the affinity mask", example: "2"),
                "Relay threads, each with its own sockets; at most 256."
            )
        case .turnAllowedPeers:
            turn(
                .derived("127.0.0.0/8,::1/128 if every TURN_LISTEN is loopback, else none", example: "10.0.0.0/8"),
                "CIDRs that may be relayed to though denied; any value, the empty one too, replaces the default."
            )
        case .turnDeniedPeers:
            turn(
                .derived("private, local and special ranges", example: "10.0.0.0/8,192.168.0.0/16"),
                "CIDRs that are never relayed to, instead of the default: what of it is not named is open, but for metadata "
                    + "and multicast."
            )
        case .turnUserQuota:
            turn(
                .value("100"),
                "Relayed addresses and reserved ports per user; a dual allocation counts twice. 0: no limit."
            )
        case .turnTotalQuota: turn(.value("0"), "Relayed addresses and reserved ports on this server; 0: no limit.")
        case .turnMaxBPS:
            turn(
                .value("0"),
                "Bytes a second per allocation, IP and UDP headers counted, both directions together; more is dropped. "
                    + "0: no limit."
            )
        case .turnTotalBPS:
            turn(
                .value("0"),
                "Bytes a second on this server, IP and UDP headers counted, both directions together; more is dropped. "
                    + "0: no limit."
            )
        case .turnUnauthReplies:
            turn(
                .derived("50; in dev mode 0", example: "50"),
                "400, 401 and 438 answers a second per unauthenticated source (IPv4 address, IPv6 /64); 0: no limit."
            )
        default: nil
        }
    }

    private var credentialDescription: KeyDescription? {
        func credential(_ value: KeyDescription.Default, _ meaning: String) -> KeyDescription {
            KeyDescription("TURN credentials", value, meaning)
        }
        return switch self {
        case .turnRealm:
            credential(.value("callrelay"), "Realm of long-term credentials, at most 28 bytes: challenges stay small.")
        case .turnSharedSecret:
            credential(
                .derived("dev: made once and kept in data/; else required", example: "first,previous"),
                "Secret of time-limited credentials; comma-separated for rotation: the first mints, all verify."
            )
        case .turnStaticUsers: credential(.none, "Users with a fixed password: name:password,…")
        case .turnCredentialTTL: credential(.value("24h"), "How long a minted credential opens allocations.")
        case .turnServerURL:
            credential(.none, "Further TURN servers as comma-separated URIs, listed after this one.")
        case .turnUsername: credential(.none, "User name at the further TURN servers.")
        case .turnCredential: credential(.none, "Password at the further TURN servers.")
        default: nil
        }
    }

    private var callDescription: KeyDescription? {
        func call(_ value: KeyDescription.Default, _ meaning: String) -> KeyDescription {
            KeyDescription("Calls and sockets", value, meaning)
        }
        return switch self {
        case .callRingTimeout: call(.value("60s"), "After this long a ringing call is missed.")
        case .callConnectTimeout: call(.value("30s"), "After this long an answered call that nobody joins has failed.")
        case .callReconnectGrace: call(.value("30s"), "How long a participant whose socket is gone may come back.")
        case .callMaxParticipants: call(.value("6"), "Participants of a group call.")
        case .callInitiateRate:
            call(.value("user=10/m,address=60/m"), "Calls started per user and per address; empty: no limit.")
        case .callWebhookURL:
            call(.none, "http(s)://… that is told of calls: placed, answered, rejected, missed, left, ended.")
        case .callWebhookSecret: call(.none, "What the receiver of CALL_WEBHOOK_URL verifies notices with.")
        case .socketPingInterval: call(.value("25s"), "Socket.IO heartbeat.")
        case .socketPingTimeout: call(.value("20s"), "How long a heartbeat may stay unanswered.")
        case .socketMaxPayload: call(.value("1000000"), "Largest Socket.IO message in bytes.")
        case .socketsPerUser: call(.value("20"), "Connected sockets of one user.")
        case .socketEventRate:
            call(.value("50/s"), "Events of one socket; ten times as many may come at once. Empty: no limit.")
        default: nil
        }
    }

    private var operationDescription: KeyDescription {
        func operation(_ value: KeyDescription.Default, _ meaning: String) -> KeyDescription {
            KeyDescription("Operation", value, meaning)
        }
        return switch self {
        case .metricsListen: operation(.none, "host:port of Prometheus' /metrics.")
        case .drainTimeout: operation(.value("30s"), "How long a stopping server waits for what is under way.")
        case .logLevel:
            operation(.value("info"), "trace, debug, info, notice, warning, error or critical.")
        case .logFormat: operation(.value("text"), "text or json.")
        default: preconditionFailure("setting \(rawValue) has no description")
        }
    }
}
