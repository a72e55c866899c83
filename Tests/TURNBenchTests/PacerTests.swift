import NetPrimitives
import TURNBench
import Testing

@Suite("Pacer")
struct PacerTests {
    @Test(
        "the schedule keeps its rate for hours, and a burst is due when it says so",
        arguments: [0.5, 3, 25_000, 1_000_000]
    )
    func rate(perSecond: Double) {
        let start = Instant(nanoseconds: 5_000_000_000)
        let pacer = Pacer(burstsPerSecond: perSecond, start: start)
        #expect(pacer.dueCount(at: Instant(nanoseconds: 0)) == 0)
        #expect(pacer.dueCount(at: start) == 1)
        let hours = 4.0
        let late = Instant(nanoseconds: start.nanoseconds + UInt64(hours * 3600 * 1e9))
        #expect(abs(pacer.dueCount(at: late) - Int(hours * 3600 * perSecond)) <= 1)
        for index in [0, 1, 2, 1000] {
            let due = pacer.due(index)
            #expect(pacer.dueCount(at: Instant(nanoseconds: due.nanoseconds + 1)) >= index + 1)
            guard index > 0 else { continue }
            #expect(pacer.dueCount(at: Instant(nanoseconds: due.nanoseconds - 2)) <= index)
        }
    }
}

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
