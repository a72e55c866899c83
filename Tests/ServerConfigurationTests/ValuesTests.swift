import NetPrimitives
import ServerConfiguration
import Testing

@Suite("Values of the configuration")
struct ValuesTests {
    @Test("without a word said, the server is the embedded dev server")
    func defaults() throws {
        let configuration = try configuration([:])
        #expect(configuration.authentication == .dev)
        #expect(configuration.http.host == "127.0.0.1")
        #expect(configuration.http.maxBody == 262_144)
        #expect(configuration.http.origins == .none)
        #expect(configuration.database.location == .sqlite(path: "data/callrelay.db"))
        #expect(configuration.database.eventRetention == .seconds(90 * 86_400))
        #expect(configuration.furtherServers == nil)
        #expect(configuration.credentialLifetime == .seconds(86_400))
        #expect(configuration.calls.ringTimeout == .seconds(60))
        #expect(configuration.calls.initiatePerUser == Rate(count: 10, period: .seconds(60)))
        #expect(configuration.sockets.eventRate == Rate(count: 50, period: .seconds(1)))
        #expect(configuration.calls.initiatePerAddress == Rate(count: 60, period: .seconds(60)))
        #expect(configuration.sockets.maxPayload == 1_000_000)
        #expect(configuration.drainTimeout == .seconds(30))
        let turn = try #require(configuration.turn)
        let loopback = [try IPAddress(parsing: "127.0.0.1"), try IPAddress(parsing: "::1")]
        #expect(turn.listen == loopback)
        #expect(turn.sharedSecret == .keptInDataDirectory)
        let loopbackBlocks = [try IPPrefix(parsing: "127.0.0.0/8"), try IPPrefix(parsing: "::1/128")]
        #expect(turn.allowedPeers == loopbackBlocks)
        #expect(turn.deniedPeers == nil)
        #expect(turn.relayPorts == 49152...65535)
        #expect(turn.unauthenticatedReplies == 0)
        #expect(turn.userQuota == 100)
        #expect(turn.workers == nil)
    }

    @Test("outside dev mode the relay listens everywhere, denies loopback peers and limits refusals")
    func defaultsOutsideDevMode() throws {
        let turn = try #require(try configuration(["AUTH_MODE": "off", "TURN_SHARED_SECRET": "s"]).turn)
        #expect(turn.listen == [.unspecified(.ipv4), .unspecified(.ipv6)])
        #expect(turn.allowedPeers.isEmpty)
        #expect(turn.unauthenticatedReplies == 50)
    }

    @Test("an empty value means none, in dev mode too")
    func emptyValues() throws {
        let configuration = try configuration([
            "TURN_SHARED_SECRET": "", "TURN_ALLOWED_PEERS": "", "TURN_DENIED_PEERS": "", "CALL_INITIATE_RATE": "",
            "EVENT_RETENTION": "", "TURN_USER_QUOTA": "", "TURN_UNAUTH_REPLIES": "",
        ])
        #expect(configuration.turn?.sharedSecret == TURNSettings.SharedSecret.none)
        #expect(configuration.turn?.allowedPeers == [])
        #expect(configuration.turn?.deniedPeers == [])
        #expect(configuration.turn?.userQuota == 0)
        #expect(configuration.turn?.unauthenticatedReplies == 0)
        #expect(configuration.calls.initiatePerUser == nil)
        #expect(configuration.database.eventRetention == nil)
    }

    @Test("lists, rates, durations, sizes and users are read in their notations")
    func notations() throws {
        let configuration = try configuration([
            "TURN_STATIC_USERS": "alice:a:b, bob:c", "TURN_LISTEN": "127.0.0.1", "CALL_INITIATE_RATE": "address=7/h",
            "CALL_RING_TIMEOUT": "1500ms", "HTTP_MAX_BODY": "1 MiB", "SOCKET_MAX_PAYLOAD": "64kB",
            "CORS_ORIGINS": "https://App.example,http://localhost:8080",
            "HTTP_TRUSTED_PROXIES": "10.0.0.0/8,2001:db8::/32", "DATABASE_URL": "sqlite:///tmp/x.db",
        ])
        let users = try #require(configuration.turn?.staticUsers)
        #expect(users.map(\.name) == ["alice", "bob"])
        #expect(users.map(\.password) == ["a:b", "c"])
        #expect(configuration.calls.initiatePerUser == nil)
        #expect(configuration.calls.initiatePerAddress == Rate(count: 7, period: .seconds(3_600)))
        #expect(configuration.calls.ringTimeout == .milliseconds(1_500))
        #expect(configuration.http.maxBody == 1_048_576)
        #expect(configuration.sockets.maxPayload == 64_000)
        #expect(configuration.http.origins == .listed(["https://app.example", "http://localhost:8080"]))
        #expect(configuration.http.trustedProxies.count == 2)
        #expect(configuration.database.location == .sqlite(path: "/tmp/x.db"))
    }

    @Test("several nodes hear of each other by Redis, if it is named")
    func redis() throws {
        var settings = ["REDIS_URL": "redis://:x@redis", "REDIS_EMITTER": "true", "NODE_REGION": "eu"]
        let failure = #expect(throws: ConfigurationFailure.self) { _ = try configuration(settings) }
        #expect(failure?.problem.contains("needs TURN_SHARED_SECRET") == true)
        settings["TURN_SHARED_SECRET"] = "the same on all"
        let redis = try #require(try configuration(settings).redis)
        #expect(redis.url == "redis://:x@redis" && redis.acceptsEmitters && redis.region == "eu")
        #expect(try configuration([:]).redis == nil)
    }

    @Test("a webhook's secret is text, or Base64 behind whsec_", arguments: ["plain", "whsec_cGxhaW4="])
    func webhook(secret: String) throws {
        let settings = ["CALL_WEBHOOK_URL": "https://a.example/x?y=1", "CALL_WEBHOOK_SECRET": secret]
        let webhook = try #require(try configuration(settings).calls.webhook)
        #expect(webhook.url == "https://a.example/x?y=1")
        #expect(webhook.key == Array("plain".utf8))
        #expect(try configuration([:]).calls.webhook == nil)
    }

    @Test("a PostgreSQL URL goes to libpq as it was written", arguments: ["postgres", "postgresql"])
    func postgres(scheme: String) throws {
        let url =
            "\(scheme)://calls:p%40ss@a.example,b.example/calls?sslmode=verify-full&target_session_attrs=read-write"
        let database = try configuration(["DATABASE_URL": url, "DATABASE_CONNECTIONS": "20"]).database
        #expect(database.location == .postgres(url: url))
        #expect(database.connections == 20)
        #expect(try configuration([:]).database.connections == 8)
    }

    @Test("further TURN servers need their credential, and stand alone with the relay switched off")
    func furtherServers() throws {
        let configuration = try configuration([
            "TURN_ENABLED": "false", "TURN_SERVER_URL": "turn:a.example:3478?transport=udp,turns:a.example",
            "TURN_USERNAME": "u", "TURN_CREDENTIAL": "p",
        ])
        #expect(configuration.turn == nil)
        #expect(configuration.furtherServers?.uris == ["turn:a.example:3478?transport=udp", "turns:a.example"])
        #expect(configuration.furtherServers?.username == "u")
        #expect(configuration.furtherServers?.credential == "p")
    }
}
