import NetPrimitives
import Testing

@testable import ServerConfiguration

@Suite("TURN_ALTERNATE_SERVER")
struct AlternateServerTests {
    private func servers(_ text: String) throws -> [String] {
        let sources = ConfigurationSources(environment: ["TURN_ALTERNATE_SERVER": text, "TURN_PORT": "4000"])
        return try ServerConfiguration(sources) { _ in nil }.turn?.alternateServers.map(\.description) ?? []
    }

    @Test("an address has the port of this server unless it says another")
    func ports() throws {
        #expect(try servers("203.0.113.7,[2001:db8::7]:5000") == ["203.0.113.7:4000", "[2001:db8::7]:5000"])
        #expect(try servers("2001:db8::7, 203.0.113.7:3478") == ["[2001:db8::7]:4000", "203.0.113.7:3478"])
        #expect(try servers("").isEmpty)
    }

    @Test(
        "a server is not its own alternate: not where it listens, nor as seen from outside; at another port it is another"
    )
    func itself() throws {
        func alternate(_ text: String) throws -> ServerConfiguration {
            let environment = [
                "AUTH_MODE": "off", "TURN_SHARED_SECRET": "s", "TURN_LISTEN": "192.0.2.1,2001:db8::1",
                "TURN_EXTERNAL_IP": "203.0.113.1", "TURN_PORT": "4000", "TURN_ALTERNATE_SERVER": text,
            ]
            return try ServerConfiguration(ConfigurationSources(environment: environment)) { _ in nil }
        }
        for own in ["192.0.2.1", "203.0.113.1:4000", "203.0.113.2,2001:db8::1"] {
            let failure = #expect(throws: ConfigurationFailure.self) { _ = try alternate(own) }
            #expect(failure?.problem.contains("this server itself") == true, "\(own)")
        }
        #expect(try alternate("192.0.2.1:3478,[2001:db8::2]:4000").turn?.alternateServers.count == 2)
    }

    @Test(
        "names, ports that are none, and two servers of a family are refused",
        arguments: [
            "turn.example.org", "203.0.113.7:0", "203.0.113.7:70000", "203.0.113.7,203.0.113.8", "203.0.113.7,",
        ]
    )
    func refused(_ text: String) {
        let failure = #expect(throws: ConfigurationFailure.self) { _ = try servers(text) }
        #expect(failure?.description.contains("TURN_ALTERNATE_SERVER") == true)
    }
}
