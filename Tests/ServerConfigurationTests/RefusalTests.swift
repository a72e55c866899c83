import ServerConfiguration
import Testing

@Suite("Refused configurations")
struct RefusalTests {
    /// A relay that may listen on any address.
    private static let exposed = ["AUTH_MODE": "off", "TURN_SHARED_SECRET": "s"]

    @Test(
        "a malformed value is refused by name",
        arguments: [
            ("HTTP_PORT", "65536"), ("HTTP_PORT", ""), ("HTTP_HOST", "example.org"), ("HTTP_MAX_BODY", "256KB"),
            ("HTTP_MAX_BODY", "1"), ("HTTP_TRUSTED_PROXIES", "10.0.0.0/33"), ("CORS_ORIGINS", "example.org"),
            ("CORS_ORIGINS", "*,https://a.example"), ("CORS_ORIGINS", "https://a.example/path"),
            ("DATABASE_URL", "data/callrelay.db"), ("DATABASE_URL", "sqlite://relative"), ("DATABASE_URL", ""),
            ("DATABASE_MIGRATE", "maybe"), ("EVENT_RETENTION", "90"), ("AUTH_MODE", "none"),
            ("TURN_LISTEN", "localhost"), ("TURN_LISTEN", ""), ("TURN_LISTEN", "127.0.0.1,127.0.0.1"),
            ("TURN_RELAY_IP", "127.0.0.1,127.0.0.2"), ("TURN_EXTERNAL_IP", "name"), ("TURN_PUBLIC_HOST", "a b"),
            ("TURN_RELAY_MIN_PORT", "0"), ("TURN_REALM", ""), ("TURN_REALM", "a\"b"), ("TURN_STATIC_USERS", "alice"),
            ("TURN_RELAY_IP", "0.0.0.0"), ("TURN_RELAY_IP", "192.0.2.1,::"), ("TURN_RELAY_IP", "ff02::1"),
            ("TURN_RELAY_IP", "::ffff:192.0.2.1"), ("TURN_EXTERNAL_IP", "0.0.0.0"), ("TURN_EXTERNAL_IP", "::"),
            ("TURN_EXTERNAL_IP", "224.0.0.1"), ("TURN_EXTERNAL_IP", "239.255.255.255,2001:db8::1"),
            ("TURN_EXTERNAL_IP", "255.255.255.255"), ("TURN_EXTERNAL_IP", "::ffff:192.0.2.1"),
            ("TURN_ALTERNATE_SERVER", "0.0.0.0:3478"), ("TURN_ALTERNATE_SERVER", "[::]:3478"),
            ("TURN_ALTERNATE_SERVER", "224.0.0.1"), ("TURN_ALTERNATE_SERVER", "[ff05::1]:3478"),
            ("TURN_ALTERNATE_SERVER", "[::ffff:192.0.2.1]:3478"), ("TURN_ALTERNATE_SERVER", "127.0.0.1"),
            ("TURN_ALTERNATE_SERVER", "127.0.0.2,[::1]:3478"), ("TURN_STATIC_USERS", "a:1,a:2"), ("TURN_WORKERS", "0"),
            ("TURN_WORKERS", "257"), ("TURN_ALLOWED_PEERS", "10.0.0.0/8;::1"),
            ("TURN_ALLOWED_PEERS", "::ffff:10.0.0.1"),
            ("TURN_DENIED_PEERS", "10.0.0.0/8,::ffff:8.8.8.0/120"), ("TURN_DENIED_PEERS", "::ffff:0:0/96"),
            ("TURN_DENIED_PEERS", "300.0.0.0/8"), ("TURN_USER_QUOTA", "-1"),
            ("TURN_UNAUTH_REPLIES", "many"), ("TURN_CREDENTIAL_TTL", "86400"), ("TURN_CREDENTIAL_TTL", "1s"),
            ("TURN_SERVER_URL", "https://a.example"), ("TURN_SERVER_URL", "turn:"), ("TURN_SHARED_SECRET", "a,,b"),
            ("CALL_RING_TIMEOUT", "1"), ("CALL_RING_TIMEOUT", "99999999999999999d"), ("CALL_MAX_PARTICIPANTS", "1"),
            ("CALL_INITIATE_RATE", "10/m"), ("CALL_INITIATE_RATE", "user=0/m"), ("CALL_INITIATE_RATE", "user=1/d"),
            ("CALL_INITIATE_RATE", "user=1/m,user=2/m"), ("SOCKET_PING_INTERVAL", "25000"),
            ("SOCKET_MAX_PAYLOAD", "0"), ("SOCKETS_PER_USER", "0"), ("SOCKET_EVENT_RATE", "50"),
            ("SOCKET_EVENT_RATE", "50/s,60/s"), ("DRAIN_TIMEOUT", "soon"),
            ("LOG_LEVEL", "loud"), ("LOG_FORMAT", "xml"),
        ]
    )
    func malformed(key: String, value: String) {
        let failure = #expect(throws: ConfigurationFailure.self) { _ = try configuration([key: value]) }
        #expect(failure?.setting == "\(key) (environment)")
        #expect(failure?.description.contains(where: \.isNewline) == false)
    }

    @Test(
        "unsafe or contradictory combinations are refused by name",
        arguments: [
            (["HTTP_HOST": "0.0.0.0"], "HTTP_HOST (environment)"),
            (["HTTP_HOST": "::"], "HTTP_HOST (environment)"),
            (["TURN_LISTEN": "127.0.0.1,192.0.2.1"], "TURN_LISTEN (environment)"),
            (["TURN_LISTEN": "0.0.0.0"], "TURN_LISTEN (environment)"),
            (exposed.merging(["TURN_LISTEN": "192.0.2.1,224.0.0.1"]) { $1 }, "TURN_LISTEN (environment)"),
            (exposed.merging(["TURN_LISTEN": "ff02::1"]) { $1 }, "TURN_LISTEN (environment)"),
            (exposed.merging(["TURN_LISTEN": "::ffff:192.0.2.1"]) { $1 }, "TURN_LISTEN (environment)"),
            (["AUTH_MODE": "off"], "TURN_SHARED_SECRET"),
            (["AUTH_MODE": "off", "TURN_SHARED_SECRET": ""], "TURN_SHARED_SECRET (environment)"),
            (["AUTH_MODE": "off", "TURN_ENABLED": "false"], "TURN_ENABLED (environment)"),
            (["AUTH_MODE": "matrix"], "AUTH_MODE (environment)"),
            (["HTTP_TLS_CERT": "cert.pem"], "HTTP_TLS_CERT (environment)"),
            (["HTTP_TLS_KEY": "key.pem"], "HTTP_TLS_KEY (environment)"),
            (["TURN_SERVER_URL": "turn:a.example", "TURN_USERNAME": "u"], "TURN_SERVER_URL (environment)"),
            (["TURN_USERNAME": "u"], "TURN_USERNAME (environment)"),
            (["TURN_RELAY_MIN_PORT": "60000", "TURN_RELAY_MAX_PORT": "50000"], "TURN_RELAY_MIN_PORT (environment)"),
        ]
    )
    func combinations(environment: [String: String], setting: String) {
        let failure = #expect(throws: ConfigurationFailure.self) { _ = try configuration(environment) }
        #expect(failure?.setting == setting)
    }

    @Test(
        "an IPv4-mapped block of peers is refused with its IPv4 spelling, a larger block that has them in it is not",
        arguments: [
            ("::ffff:8.8.8.0/120", "8.8.8.0/24"), ("::ffff:8.8.8.8", "8.8.8.8/32"), ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::ffff:8.0.0.0/104", "8.0.0.0/8"),
        ]
    )
    func mappedPeers(block: String, spelling: String) throws {
        for key in ["TURN_DENIED_PEERS", "TURN_ALLOWED_PEERS"] {
            let failure = #expect(throws: ConfigurationFailure.self) { _ = try configuration([key: block]) }
            #expect(failure?.problem.hasSuffix("write it as IPv4, \(spelling)") == true)
            _ = try configuration([key: "::/0,::/80," + spelling])
        }
    }

    @Test("a realm has fewer than 128 characters, a name fewer than 509 bytes, and neither has quotes (RFC 8489)")
    func lengths() throws {
        // Two bytes in UTF-8: realms are counted by characters, names by bytes.
        func umlauts(_ count: Int) -> String { String(repeating: "\u{FC}", count: count) }
        let longest = try configuration(["TURN_REALM": umlauts(127), "TURN_STATIC_USERS": umlauts(254) + ":a\"b"])
        #expect(longest.turn?.realm == umlauts(127))
        #expect(longest.turn?.staticUsers.map(\.name) == [umlauts(254)])
        for (key, value) in [
            ("TURN_REALM", umlauts(128)), ("TURN_REALM", "a\"b"), ("TURN_REALM", "a\"\u{301}b"),
            ("TURN_STATIC_USERS", umlauts(254) + "x:b"), ("TURN_STATIC_USERS", "a\"b:c"),
            ("TURN_STATIC_USERS", "a\"\u{301}b:c"),
        ] {
            let failure = #expect(throws: ConfigurationFailure.self) { _ = try configuration([key: value]) }
            #expect(failure?.setting == "\(key) (environment)", "\(value)")
        }
    }

    @Test("static users alone are enough where there are no calls to mint credentials for")
    func staticUsersAlone() throws {
        let configuration = try configuration(["AUTH_MODE": "off", "TURN_STATIC_USERS": "a:b"])
        #expect(configuration.turn?.staticUsers.count == 1)
    }

    @Test("metrics listen on an address and a port of their own")
    func metrics() throws {
        func settings(_ value: String) throws -> MetricsSettings? {
            try configuration(["METRICS_LISTEN": value]).metrics
        }
        #expect(try settings("") == nil)
        for (value, host, port) in [
            ("127.0.0.1:9000", "127.0.0.1", 9000), ("[::1]:9000", "::1", 9000), ("localhost:65535", "localhost", 65535),
            ("0.0.0.0:1", "0.0.0.0", 1),
        ] {
            #expect(try settings(value)?.host == host)
            #expect(try settings(value)?.port == UInt16(port))
        }
        for value in [
            "9000", ":9000", "::1:9000", "[127.0.0.1]:9000", "127.0.0.1:0", "127.0.0.1:65536", "host:9000", "[::1]",
        ] {
            let failure = #expect(throws: ConfigurationFailure.self) { _ = try settings(value) }
            #expect(failure?.setting == "METRICS_LISTEN (environment)", "\(value)")
        }
        #expect(throws: ConfigurationFailure.self) { _ = try settings("127.0.0.1:3000") }
    }

    @Test(
        "what this build does not serve is refused, its default is not",
        arguments: [
            ("TURN_TLS_CERT", "cert.pem", ""),
            ("TURN_TLS_KEY", "key.pem", ""), ("TURN_TLS_PORT", "443", "5349"),
        ]
    )
    func notServed(key: String, value: String, harmless: String) throws {
        let failure = #expect(throws: ConfigurationFailure.self) { _ = try configuration([key: value]) }
        #expect(failure?.setting == "\(key) (environment)")
        #expect(failure?.problem.contains("does not serve") == true)
        _ = try configuration([key: harmless])
    }

    @Test("a secret's value appears in no message")
    func secretsStayOut() {
        for key in ["TURN_STATIC_USERS", "DATABASE_URL", "TURN_SHARED_SECRET"] {
            let failure = #expect(throws: ConfigurationFailure.self) {
                _ = try configuration([key: "hunter2,,hunter2"])
            }
            #expect(failure?.description.contains("hunter2") == false)
        }
    }
}
