import NetPrimitives
import STUNCore
import TestSupport
import Testing

@testable import STUNServer

@Suite("Authenticator")
struct AuthenticatorTests {
    private let fixture = AuthenticationFixture()

    @Test(
        "accepts a static user by either algorithm; what names one is answered with SHA-256, all else with SHA-1",
        arguments: [nil, .md5, .sha256] as [PasswordAlgorithm?]
    )
    func staticUser(choice: PasswordAlgorithm?) throws {
        let request = fixture.request("alice", "wonder", nonce: fixture.nonce(), choosing: choice)
        let result = try fixture.authenticate(request)
        let (user, seal) = (try #require(result.user), try #require(result.seal))
        #expect(user.username == "alice")
        #expect(user.quotaKey == .staticUser("alice"))
        #expect(user.expiry == nil && user.callID == nil)
        #expect(seal.algorithm == (choice == nil ? .sha1 : .sha256))
        #expect(seal.key == .longTerm(choice ?? .md5, username: "alice", realm: "callrelay", password: "wonder"))
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

    @Test("an unknown name, a wrong password, another realm's key: 401, with a good nonce and with a stale one")
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

    @Test("what stands behind MESSAGE-INTEGRITY counts for nothing, the credential least of all")
    func unprotectedTail() throws {
        let key = IntegrityKey.longTerm(username: "alice", realm: "callrelay", password: "wonder")
        let whole = fixture.request("alice", "wonder", nonce: fixture.nonce(), choosing: .sha256)
        // All that a request needs, but behind an integrity that covers none of it.
        let tail = whole[20..<(whole.count - 36)]
        for algorithm in [IntegrityAlgorithm.sha1, .sha256] {
            let seal = IntegritySeal(key: key, algorithm: algorithm)
            let bare = stunMessage(MessageType(.allocate, .request), sealedBy: seal)
            #expect(try fixture.authenticate(withLength(bare + tail)).refusal == .badRequest)
        }
        // A choice of algorithm that was appended to an old client's request is not one.
        let old = fixture.request("alice", "wonder", nonce: fixture.nonce())
        let seal = try fixture.authenticate(withLength(old + [0, 0x1D, 0, 4, 0, 2, 0, 0])).seal
        #expect(seal?.algorithm == .sha1)
    }

    @Test("a name that nobody has costs as many verifications as one that somebody has")
    func noNameOracle() {
        let book = fixture.authenticator.credentials
        #expect(book.candidates(for: "nobody").count == book.candidates(for: "alice").count)
        #expect(book.candidates(for: "12:x").count == 2)
        #expect(book.nobody.count == 1)
        #expect(book.candidates(for: Userhash(username: "alice", realm: "callrelay")).count == 1)
        #expect(book.candidates(for: "nobody").allSatisfy { $0.owner == nil })
    }

    @Test("the keys that nobody has open nothing")
    func decoy() throws {
        let request = fixture.request("", "", nonce: fixture.nonce())
        #expect(try fixture.authenticate(request).refusal == .unauthenticated)
    }

    @Test("a name that is no UTF-8, or longer than any may be, is an unknown user")
    func unreadableNames() throws {
        let key = IntegrityKey.longTerm(username: "", realm: "callrelay", password: "")
        for name in [[0xFF, 0xFE], [UInt8](repeating: 0x61, count: 764)] {
            let seal = IntegritySeal(key: key, algorithm: .sha1)
            let bytes = stunMessage(MessageType(.allocate, .request), sealedBy: seal) { builder in
                builder.append(.username, name.span.rawBytes)
                builder.appendRealm("callrelay")
                builder.appendNonce(fixture.nonce())
            }
            #expect(try fixture.authenticate(bytes).refusal == .unauthenticated)
        }
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
        let renewed = later.request("alice", "wonder", nonce: later.nonce())
        #expect(try later.authenticate(renewed, keeping: kept).user?.username == "alice")
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
        let known = KnownAttributes.stun.union(KnownAttributes([.requestedTransport, .lifetime]))
        let valid = fixture.request("alice", "wonder", nonce: fixture.nonce())
        let wrongSeal = IntegritySeal(key: .shortTerm(password: "guess"), algorithm: .sha1)
        var builder = MessageBuilder(capacity: 4_096)
        try checkProperty("gate and authenticator take any bytes", iterations: 10_000) { generator in
            let source = generator.oneIn(2) ? valid : generator.stunMessage(seal: wrongSeal)
            let bytes = generator.mutated(source)
            builder.removeAll()
            let message: MessageView
            do throws(MessageFailure) { message = try MessageView(parsing: bytes.span.rawBytes) } catch { return }
            switch RequestGate.check(message, known: known) {
            case .drop: return
            case .unknownAttributes(let types):
                try claim(!types.isEmpty && types.count <= RequestGate.maximumListedTypes, "\(types)")
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
