import STUNServer
import Testing

@Suite("TimeLimitedCredential")
struct TimeLimitedCredentialTests {
    private let secret = SharedSecret("north")

    @Test("the password is the one that any other implementation computes")
    func knownAnswers() {
        // Computed with Python's hmac and base64 modules.
        let own = TimeLimitedCredential.mint(secret: secret, expiry: 1_893_456_000, name: "~tag~call")
        #expect(own.username == "1893456000:~tag~call")
        #expect(own.password == "BYbtyDBODuu79UmAQh8Q67e0sGk=")
        let other = TimeLimitedCredential.mint(
            secret: SharedSecret("logen"),
            expiry: 1_433_895_918,
            name: "ninefingers"
        )
        #expect(other.password == "HY+Vd729N0UZ/xCzjg1F0GsoMK8=")
    }

    @Test(
        "splits at the first colon",
        arguments: [("12:alice", 12, "alice"), ("12:", 12, ""), ("0:a:b", 0, "a:b"), ("12:@a:b.org", 12, "@a:b.org")]
            as [(String, UInt64, String)]
    )
    func parts(username: String, expiry: UInt64, name: String) throws {
        let parts = try #require(TimeLimitedUsername(parsing: username))
        #expect(parts.expiry == expiry)
        #expect(parts.name == name)
    }

    @Test(
        "a name without a decimal expiry is not time-limited",
        arguments: ["", "12", ":a", "a:12", "-1:a", "+1:a", "1e3:a", "99999999999999999999:a", "\u{661}:a"]
    )
    func notTimeLimited(username: String) {
        #expect(TimeLimitedUsername(parsing: username) == nil)
    }

    @Test("the user tag is the same everywhere, tells nobody the user, and needs no escaping")
    func tags() throws {
        let tag = RelayUserTag(userID: "@alice:localhost", secret: secret)
        #expect(tag.text == "HuoAi55EKGiy")
        #expect(tag != RelayUserTag(userID: "@bob:localhost", secret: secret))
        #expect(tag != RelayUserTag(userID: "@alice:localhost", secret: SharedSecret("south")))
        let minted = TimeLimitedCredential.mint(secret: secret, expiry: 7, tag: tag, callID: "call~1:2")
        let own = try #require(TimeLimitedUsername(parsing: minted.username)?.own)
        #expect(own.tag == tag)
        #expect(own.callID == "call~1:2")
        let without = TimeLimitedCredential.mint(secret: secret, expiry: 7, tag: tag, callID: nil)
        let parsed = try #require(TimeLimitedUsername(parsing: without.username)?.own)
        #expect(parsed.tag == tag)
        #expect(parsed.callID == nil)
    }

    @Test("the tag is everything between the first two tildes, also what combines with a tilde")
    func combining() throws {
        let own = try #require(TimeLimitedUsername(parsing: "12:~\u{301}tag~call")?.own)
        #expect(Array(own.tag.text.utf8) == Array("\u{301}tag".utf8))
        #expect(own.callID == "call")
    }
}

@Suite("Secrets in descriptions")
struct SecretDescriptionTests {
    @Test("Whatever holds a secret says nothing of it when it is described")
    func described() {
        let described = "\(["x": [SharedSecret("north")]])"
        #expect(described == #"["x": [STUNServer.SharedSecret(key: (a key), passwordKey: (a key))]]"#)
    }
}
