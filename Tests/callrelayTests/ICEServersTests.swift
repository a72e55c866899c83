import CallModel
import CallService
import NetPrimitives
import STUNServer
import ServerConfiguration
import Signaling
import SocketIO
import Testing

@testable import callrelay

@Suite("ICE servers")
struct ICEServersTests {
    private static let secret = SharedSecret("north wind")
    private static let now = Timestamp(milliseconds: 1_800_000_000_000)

    private static func servers(
        hosts: [String] = ["192.0.2.1"],
        secret: SharedSecret? = secret,
        environment: [String: String] = [:]
    ) throws -> ICEServers {
        let configuration = try ServerConfiguration(ConfigurationSources(environment: environment)) { _ in nil }
        return ICEServers(
            hosts: hosts,
            turnHosts: hosts,
            port: 3478,
            secret: secret,
            further: configuration.furtherServers,
            credentialLifetime: .seconds(3_600)
        )
    }

    private static func ask(_ servers: ICEServers, user: String = "@alice:localhost", call: String? = "call1")
        -> ICEConfiguration
    {
        servers.iceServers(for: user, call: call.flatMap { CallID($0) }, relayOnly: false, now: now)
    }

    @Test("this server's own STUN and TURN stand first, with a credential that names user tag and call")
    func own() throws {
        let ice = Self.ask(try Self.servers())
        #expect(ice.servers.map(\.urls) == [["stun:192.0.2.1:3478"], ["turn:192.0.2.1:3478?transport=udp"]])
        let relay = try #require(ice.servers.last)
        let tag = RelayUserTag(userID: "@alice:localhost", secret: Self.secret).text
        #expect(relay.username == "1800003600:~\(tag)~call1")
        let expected = TimeLimitedCredential.mint(secret: Self.secret, expiry: 1_800_003_600, name: "~\(tag)~call1")
        #expect(relay.credential == expected.password)
        #expect(ice.servers.first?.username == nil)
        #expect(ice.secondsToLive == 3_600)
        #expect(ice.expiresAt == Self.now.advanced(byMilliseconds: 3_600_000))
    }

    @Test("outside a call the credential names none, and another user has another tag")
    func tags() throws {
        let servers = try Self.servers()
        let alice = Self.ask(servers, call: nil).servers.last?.username ?? ""
        let bob = Self.ask(servers, user: "@bob:localhost", call: nil).servers.last?.username ?? ""
        #expect(alice.hasSuffix("~"))
        #expect(alice != bob)
        #expect(!alice.contains("alice"))
    }

    @Test("servers of others come after our own, their STUN without the credential")
    func further() throws {
        let servers = try Self.servers(environment: [
            "TURN_SERVER_URL": "turn:a.example:3478,stun:b.example", "TURN_USERNAME": "u", "TURN_CREDENTIAL": "p",
        ])
        let ice = Self.ask(servers)
        #expect(ice.servers.map(\.urls).suffix(2) == [["stun:b.example"], ["turn:a.example:3478"]])
        #expect(ice.servers.last?.username == "u")
        #expect(ice.servers.last?.credential == "p")
    }

    @Test("with the relay switched off they stand alone, and without any the list is empty")
    func alone() throws {
        let environment = [
            "TURN_ENABLED": "false", "TURN_SERVER_URL": "turn:a.example", "TURN_USERNAME": "u", "TURN_CREDENTIAL": "p",
        ]
        let some = try ServerConfiguration(ConfigurationSources(environment: environment)) { _ in nil }
        #expect(Self.ask(.furtherOnly(some)).servers.map(\.urls) == [["turn:a.example"]])
        let none = try ServerConfiguration(ConfigurationSources(environment: ["TURN_ENABLED": "false"])) { _ in nil }
        #expect(Self.ask(.furtherOnly(none)).servers.isEmpty)
    }

    @Test("without a secret there is no TURN to list, and never a server that nobody chose")
    func noSecret() throws {
        let ice = Self.ask(try Self.servers(secret: nil))
        #expect(ice.servers.map(\.urls) == [["stun:192.0.2.1:3478"]])
        #expect(!Self.ask(try Self.servers()).json.text.contains("google"))
    }

    @Test("hosts are the public name, else the advertised addresses, IPv6 in brackets")
    func hosts() throws {
        let addresses = [try IPAddress(parsing: "192.0.2.1"), try IPAddress(parsing: "2001:db8::1")]
        #expect(ICEServers.hosts(publicHost: nil, advertised: addresses) == ["192.0.2.1", "[2001:db8::1]"])
        #expect(ICEServers.hosts(publicHost: "turn.example", advertised: addresses) == ["turn.example"])
        #expect(ICEServers.hosts(publicHost: "2001:db8::2", advertised: []) == ["[2001:db8::2]"])
    }
}
