import NetPrimitives
import TURNBench
import Testing

@Suite("Server addresses")
struct ServerAddressTests {
    @Test("the forms that there are")
    func forms() throws {
        let cases: [(String, ServerAddress.Speech, String, UInt16)] = [
            ("turn:127.0.0.1:3478", .turn, "127.0.0.1", 3478),
            ("turn:relay.example.org", .turn, "relay.example.org", 3478),
            ("turn:[::1]:5000", .turn, "::1", 5000),
            ("turn:[2001:db8::1]", .turn, "2001:db8::1", 3478),
            ("floor:127.0.0.1:3479", .floor, "127.0.0.1", 3479),
        ]
        for (text, speech, host, port) in cases {
            let address = try #require(ServerAddress(parsing: text))
            #expect(address.speech == speech && address.host == host && address.port == port)
        }
    }

    @Test(
        "what is none of them",
        arguments: [
            "", "turn", "turn:", "turns:a:1", "turn:a:0", "turn:a:70000", "turn:a:x", "turn:[::1", "turn:[::1]5",
            "floor:127.0.0.1", "turn::3478", "stun:a:1", "turn:a:1:2",
        ]
    )
    func malformed(text: String) {
        #expect(ServerAddress(parsing: text) == nil)
    }

    @Test("loopback alone is harmless")
    func harmless() throws {
        #expect(ServerAddress.isHarmless(try IPAddress(parsing: "127.8.0.1")))
        #expect(ServerAddress.isHarmless(try IPAddress(parsing: "::1")))
        #expect(!ServerAddress.isHarmless(try IPAddress(parsing: "192.0.2.1")))
        #expect(!ServerAddress.isHarmless(try IPAddress(parsing: "2001:db8::1")))
    }
}
