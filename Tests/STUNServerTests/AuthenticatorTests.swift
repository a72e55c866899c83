import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@Suite("Authenticator")
struct AuthenticatorTests {
    private let fixture = AuthenticationFixture()

    @Test("accepts a static user by either algorithm and hands out what seals the reply", arguments: [true, false])
    func staticUser(bySHA256: Bool) throws {
        let algorithm: IntegrityAlgorithm = bySHA256 ? .sha256 : .sha1
        let request = fixture.request("alice", "wonder", nonce: fixture.nonce(), algorithm: algorithm)
        let user = try #require(try fixture.authenticate(request).user)
        #expect(user.username == "alice")
        #expect(user.quotaKey == .staticUser("alice"))
        #expect(user.expiry == nil && user.callID == nil)
        #expect(user.seal.algorithm == algorithm)
        #expect(user.seal.key == .longTerm(username: "alice", realm: "callrelay", password: "wonder"))
    }

    @Test("no integrity attribute: 401, whatever else is there")
    func noIntegrity() throws {
        let bytes = stunMessage(MessageType(.allocate, .request)) { builder in
            builder.appendUsername("alice")
            builder.appendRealm("callrelay")
            builder.appendNonce(fixture.nonce())
        }
        #expect(try fixture.authenticate(bytes).refusal == .unauthenticated)
    }

    @Test("integrity without USERNAME, REALM or NONCE: 400", arguments: 0..<3)
    func incomplete(missing: Int) throws {
        let key = IntegrityKey.longTerm(username: "alice", realm: "callrelay", password: "wonder")
        let bytes = stunMessage(
            MessageType(.allocate, .request),
            sealedBy: IntegritySeal(key: key, algorithm: .sha1)
        ) { builder in
            if missing != 0 { builder.appendUsername("alice") }
            if missing != 1 { builder.appendRealm("callrelay") }
            if missing != 2 { builder.appendNonce(fixture.nonce()) }
        }
        #expect(try fixture.authenticate(bytes).refusal == .badRequest)
    }

    @Test("an unknown name, a wrong password, a wrong realm: 401, with a good nonce and with a stale one")
    func wrongCredentials() throws {
        for nonce in [fixture.nonce(), fixture.nonce(at: AuthenticationFixture.now - 10_000), "stale"] {
            for (name, password) in [("bob", "wonder"), ("alice", "blunder"), ("", ""), ("1900009999:x", "wonder")] {
                let request = fixture.request(name, password, nonce: nonce)
                #expect(try fixture.authenticate(request).refusal == .unauthenticated)
            }
            let elsewhere = fixture.request("alice", "wonder", nonce: nonce, realm: "elsewhere")
            #expect(try fixture.authenticate(elsewhere).refusal == .unauthenticated)
        }
    }

    @Test("438 only when everything but the nonce is right")
    func staleNonce() throws {
        let old = fixture.nonce(at: AuthenticationFixture.now - 601)
        for nonce in [old, "stale", "obMatJos2AAAA", ""] {
            let request = fixture.request("alice", "wonder", nonce: nonce)
            #expect(try fixture.authenticate(request).refusal == .staleNonce)
        }
    }

    @Test("USERHASH is not offered: 401 for a request that names its user so")
    func userhash() throws {
        let key = IntegrityKey.longTerm(username: "alice", realm: "callrelay", password: "wonder")
        let seal = IntegritySeal(key: key, algorithm: .sha1)
        let bytes = stunMessage(MessageType(.allocate, .request), sealedBy: seal) { builder in
            builder.appendUserhash(Userhash(username: "alice", realm: "callrelay"))
            builder.appendRealm("callrelay")
            builder.appendNonce(fixture.nonce())
        }
        #expect(try fixture.authenticate(bytes).refusal == .unauthenticated)
    }

    @Test(
        "every secret verifies, and expiry counts only where the caller asks for it",
        arguments: ["north", "old north"]
    )
    func timeLimited(secret: String) throws {
        let tag = RelayUserTag(userID: "@alice:localhost", secret: SharedSecret("north"))
        let end = AuthenticationFixture.now + 100
        let minted = TimeLimitedCredential.mint(secret: SharedSecret(secret), expiry: end, tag: tag, callID: "call-1")
        let request = fixture.request(minted.username, minted.password, nonce: fixture.nonce(at: end - 1))
        let before = try #require(try fixture.authenticate(request, at: end - 1).user)
        #expect(before.quotaKey == .tag(tag))
        #expect(before.callID == "call-1")
        #expect(before.expiry == end)
        #expect(try fixture.authenticate(request, at: end).refusal == .unauthenticated)
        #expect(try fixture.authenticate(request, at: end, expiry: .ignored).user != nil)
    }

    @Test("a foreign name counts whole behind its first colon")
    func foreignNames() throws {
        for name in ["@alice:example.org", "", "~no-separator", "~~call"] {
            let minted = TimeLimitedCredential.mint(secret: fixture.secret, expiry: .max, name: name)
            let request = fixture.request(minted.username, minted.password, nonce: fixture.nonce())
            let user = try #require(try fixture.authenticate(request).user)
            #expect(user.quotaKey == .name(name))
            #expect(user.callID == nil)
        }
    }

    @Test("an allocation's key outlives its credential, and a stranger is not taken for its owner")
    func keptKey() throws {
        let request = fixture.request("alice", "wonder", nonce: fixture.nonce())
        let kept = try #require(try fixture.authenticate(request).user)
        let later = AuthenticationFixture(staticUsers: ["bob": "builder"], secrets: [])
        #expect(try later.authenticate(request).refusal == .unauthenticated)
        #expect(try later.authenticate(request, keeping: kept).user?.username == "alice")
        let forged = later.request("alice", "blunder", nonce: later.nonce())
        #expect(try later.authenticate(forged, keeping: kept).refusal == .unauthenticated)
        let other = later.request("bob", "builder", nonce: later.nonce())
        #expect(try later.authenticate(other, keeping: kept).user?.username == "bob")
    }

    @Test("names are compared byte by byte: two ways to write ü are two users")
    func byteEquality() throws {
        let composed = AuthenticationFixture(staticUsers: ["\u{FC}": "wonder"])
        let right = composed.request("\u{FC}", "wonder", nonce: composed.nonce())
        let other = composed.request("u\u{308}", "wonder", nonce: composed.nonce())
        #expect(try composed.authenticate(right).user != nil)
        #expect(try composed.authenticate(other).refusal == .unauthenticated)
    }

    @Test("whatever comes, the gate and the authenticator do not trap and let nothing forged through")
    func anyBytes() throws {
        let valid = fixture.request("alice", "wonder", nonce: fixture.nonce())
        let wrongSeal = IntegritySeal(key: .shortTerm(password: "guess"), algorithm: .sha1)
        var builder = MessageBuilder(capacity: 4_096)
        try checkProperty("gate and authenticator take any bytes", iterations: 10_000) { generator in
            let source = generator.oneIn(2) ? valid : generator.stunMessage(seal: wrongSeal)
            let bytes = generator.mutated(source)
            builder.removeAll()
            let message: MessageView
            do throws(MessageFailure) { message = try MessageView(parsing: bytes.span.rawBytes) } catch { return }
            switch RequestGate.check(message, known: .turn) {
            case .drop: return
            case .unknownAttributes(let types):
                let reply = ReplyWriter.unknownAttributes(types, to: message, in: &builder)
                try claim(!types.isEmpty && types.count <= 16 && reply != nil, "\(types)")
            case .proceed:
                switch try fixture.authenticate(bytes).refusal {
                case let refusal?:
                    let reply = ReplyWriter.refusal(
                        refusal,
                        to: message,
                        from: fixture.client,
                        by: fixture.authenticator,
                        unixSeconds: AuthenticationFixture.now,
                        in: &builder
                    )
                    try claim(reply != nil, "no room for \(refusal)")
                case nil:
                    // What stands behind the integrity attribute may differ, and the length that counts it.
                    let sealed = valid.count - 24
                    try claim(bytes.prefix(2) == valid.prefix(2), "another type")
                    try claim(Array(bytes[4..<sealed]) == Array(valid[4..<sealed]), "a change was accepted")
                }
            }
        }
    }
}
