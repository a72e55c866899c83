import ServerConfiguration
import Testing

@Suite("OpaqueString (RFC 8265 §4.2)")
struct OpaqueStringTests {
    @Test(
        "the examples of RFC 8265 §4.2.4 and other texts are prepared",
        arguments: [
            ("correct horse battery staple", "correct horse battery staple"),
            ("Correct Horse Battery Staple", "Correct Horse Battery Staple"),
            ("\u{3C0}\u{DF}\u{E5}", "\u{3C0}\u{DF}\u{E5}"),
            ("Jack of \u{2666}s", "Jack of \u{2666}s"), ("foo\u{1680}bar", "foo bar"), ("a\u{A0}b\u{3000}c", "a b c"),
            ("u\u{308}", "\u{FC}"), ("\u{212B}", "\u{C5}"), (" a ", " a "), ("\u{FB01}", "\u{FB01}"),
            ("\u{1F600}", "\u{1F600}"),
            ("l\u{B7}l", "l\u{B7}l"), ("\u{915}\u{94D}\u{200D}\u{937}", "\u{915}\u{94D}\u{200D}\u{937}"),
            ("\u{30AB}\u{30FB}\u{30CA}", "\u{30AB}\u{30FB}\u{30CA}"), ("\u{661}\u{662}", "\u{661}\u{662}"),
            ("\u{375}\u{3B1}", "\u{375}\u{3B1}"), ("\u{5D0}\u{5F3}", "\u{5D0}\u{5F3}"),
        ]
    )
    func prepared(text: String, expected: String) throws {
        let prepared = try #require(OpaqueString.prepare(text))
        #expect(Array(prepared.utf8) == Array(expected.utf8))
        #expect(OpaqueString.prepare(prepared).map { Array($0.utf8) } == Array(prepared.utf8))
    }

    @Test(
        "nothing, controls, invisible, unassigned and private code points, and company that RFC 5892 forbids are refused",
        arguments: [
            "", "my cat is a \tby", "a\nb", "a\0", "\u{7F}", "\u{85}", "soft\u{AD}hyphen", "zero\u{200B}width",
            "\u{FEFF}a",
            "\u{202E}a", "\u{2028}", "\u{378}", "\u{E000}", "\u{FFFE}", "\u{1100}x", "\u{640}", "a\u{200D}b",
            "a\u{200C}b",
            "a\u{B7}b", "a\u{30FB}b", "\u{661}\u{6F1}", "\u{375}", "\u{5F3}", "a\u{FE0F}",
        ]
    )
    func refused(text: String) {
        #expect(OpaqueString.prepare(text) == nil)
    }

    @Test("what was prepared is prepared already, for every single code point")
    func idempotence() {
        for value in UInt32(0)...0x2FFFF {
            guard let scalar = Unicode.Scalar(value), let once = OpaqueString.prepare(String(scalar)) else { continue }
            guard OpaqueString.prepare(once).map({ Array($0.utf8) }) == Array(once.utf8) else {
                Issue.record("U+\(String(value, radix: 16)) changes the second time")
                return
            }
        }
    }

    @Test("static users and the realm are prepared; what cannot be fails by the name of the setting")
    func settings() throws {
        let turn = try configuration([
            "TURN_STATIC_USERS": "rene\u{301}:pass\u{A0}wo\u{308}rd", "TURN_REALM": "u\u{308}",
        ]).turn
        #expect(turn?.staticUsers.map { Array($0.name.utf8) } == [Array("ren\u{E9}".utf8)])
        #expect(turn?.staticUsers.map { Array($0.password.utf8) } == [Array("pass w\u{F6}rd".utf8)])
        #expect(turn.map { Array($0.realm.utf8) } == Array("\u{FC}".utf8))
        for (key, value) in [
            ("TURN_STATIC_USERS", "al\u{200B}ice:secret"), ("TURN_STATIC_USERS", "alice:se\u{7}cret"),
            ("TURN_STATIC_USERS", "ren\u{E9}:a,rene\u{301}:b"), ("TURN_REALM", "a\u{AD}b"),
        ] {
            let failure = #expect(throws: ConfigurationFailure.self) { _ = try configuration([key: value]) }
            #expect(failure?.setting == "\(key) (environment)")
        }
    }
}
