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
