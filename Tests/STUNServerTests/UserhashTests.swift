import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@Suite("USERHASH")
struct UserhashTests {
    /// Static users and no secret: every name is known.
    private let fixture = AuthenticationFixture(secrets: [])

    @Test("is announced only where every name is known: static users and no shared secret")
    func announcement() {
        #expect(fixture.nonce().hasPrefix("obMatJos2AAAD"))
        #expect(AuthenticationFixture().nonce().hasPrefix("obMatJos2AAAB"))
        #expect(AuthenticationFixture(staticUsers: [:], secrets: ["north"]).nonce().hasPrefix("obMatJos2AAAB"))
    }

    @Test(
        "names the user, by either algorithm; old clients send the name beside it",
        arguments: [nil, .md5, .sha256] as [PasswordAlgorithm?]
    )
    func accepted(choice: PasswordAlgorithm?) throws {
        for byHash in [true, false] {
            let request = fixture.request(
                "alice",
                "wonder",
                nonce: fixture.nonce(),
                choosing: choice,
                byHash: byHash
            )
            let user = try #require(try fixture.authenticate(request).user)
            #expect(user.username == "alice")
            #expect(user.quotaKey == .staticUser("alice"))
        }
    }

    @Test("401: an unknown hash, the hash in another realm, a wrong password, a malformed hash, each by itself")
    func refused() throws {
        let wrong = fixture.request("alice", "blunder", nonce: fixture.nonce(), choosing: .sha256, byHash: true)
        #expect(try fixture.authenticate(wrong).refusal == .unauthenticated)
        let key = IntegrityKey.longTerm(username: "alice", realm: "callrelay", password: "wonder")
        let right = Array(Userhash(username: "alice", realm: "callrelay").bytes)
        let unknown = Array(Userhash(username: "mallory", realm: "callrelay").bytes)
        let elsewhere = Array(Userhash(username: "alice", realm: "elsewhere").bytes)
        let malformed = [0, 31, 33, 36].map { Array((right + [0, 0, 0, 0]).prefix($0)) }
        // The key is alice's in each case.
        for value in [right, unknown, elsewhere] + malformed {
            let bytes = stunMessage(
                MessageType(.allocate, .request),
                sealedBy: IntegritySeal(key: key, algorithm: .sha1)
            ) { builder in
                builder.append(.userhash, value.span.rawBytes)
                builder.appendRealm("callrelay")
                builder.appendNonce(fixture.nonce())
            }
            let refusal = try fixture.authenticate(bytes).refusal
            #expect(refusal == (value == right ? nil : .unauthenticated), "\(value.count) bytes")
        }
    }

    @Test("401: a hash where it is not announced, of a static user too")
    func notOffered() throws {
        let mixed = AuthenticationFixture()
        let request = mixed.request("alice", "wonder", nonce: mixed.nonce(), choosing: .sha256, byHash: true)
        #expect(try mixed.authenticate(request).refusal == .unauthenticated)
    }

    @Test("USERNAME counts where both stand")
    func nameFirst() throws {
        let key = IntegrityKey.longTerm(username: "alice", realm: "callrelay", password: "wonder")
        let seal = IntegritySeal(key: key, algorithm: .sha1)
        for name in ["alice", "mallory"] {
            let bytes = stunMessage(MessageType(.allocate, .request), sealedBy: seal) { builder in
                builder.appendUserhash(Userhash(username: "alice", realm: "callrelay"))
                builder.appendUsername(name)
                builder.appendRealm("callrelay")
                builder.appendNonce(fixture.nonce())
            }
            #expect(try fixture.authenticate(bytes).user?.username == (name == "alice" ? "alice" : nil))
        }
    }

    @Test("an allocation's owner may be named by hash, whatever became of the book")
    func kept() throws {
        let first = fixture.request("alice", "wonder", nonce: fixture.nonce(), choosing: .sha256, byHash: true)
        let kept = try #require(try fixture.authenticate(first).user)
        let later = AuthenticationFixture(staticUsers: [:], secrets: ["north"])
        let request = later.request("alice", "wonder", nonce: later.nonce(), choosing: .sha256, byHash: true)
        #expect(try later.authenticate(request, keeping: kept).user?.username == "alice")
        #expect(try later.authenticate(request).refusal == .unauthenticated)
    }

    @Test("RFC 8489 appendix B.1 passes every check but that of its nonce, which was not made here: 438")
    func sample() throws {
        let user = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}"
        func refusal(_ bytes: [UInt8], password: String = "TheMatrIX", realm: String = "example.org") throws
            -> Authenticator.Refusal?
        {
            var generator = SeededGenerator(seed: 1)
            let book = CredentialBook(realm: realm, staticUsers: [user: password])
            let authenticator = Authenticator(credentials: book, nonceKey: NonceKey(using: &generator))
            let message = try MessageView(parsing: bytes.span.rawBytes)
            let outcome = authenticator.authenticate(
                message,
                from: fixture.client,
                unixSeconds: AuthenticationFixture.now,
                expiry: .checked
            )
            guard case .refused(let refusal) = outcome else { return nil }
            return refusal
        }
        #expect(try refusal(Vectors.userhashRequest) == .staleNonce)
        #expect(try refusal(Vectors.userhashRequest, password: "TheMatrix") == .unauthenticated)
        #expect(try refusal(Vectors.userhashRequest, realm: "example.com") == .unauthenticated)
        var changed = Vectors.userhashRequest
        changed[30] ^= 1
        #expect(try refusal(changed) == .unauthenticated)
    }

    @Test("the user of RFC 8489 appendix B.1 is accepted under a nonce of ours")
    func sampleUser() throws {
        let user = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}"
        let matrix = AuthenticationFixture(staticUsers: [user: "TheMatrIX"], secrets: [])
        let request = matrix.request(user, "TheMatrIX", nonce: matrix.nonce(), choosing: .sha256, byHash: true)
        #expect(try matrix.authenticate(request).user?.username == user)
    }
}
