import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@Suite("Password algorithms and bid-down protection")
struct PasswordAlgorithmTests {
    private let fixture = AuthenticationFixture()

    /// A request whose algorithm attributes are `list` and `choice` as bytes, signed with alice's key of `key`.
    private func request(
        _ list: [UInt8]?,
        _ choice: [UInt8]?,
        key: PasswordAlgorithm = .sha256,
        nonce: String? = nil,
        user: String = "alice"
    ) -> [UInt8] {
        let signature = IntegrityKey.longTerm(key, username: user, realm: "callrelay", password: "wonder")
        let seal = IntegritySeal(key: signature, algorithm: .sha256)
        return stunMessage(MessageType(.allocate, .request), sealedBy: seal) { builder in
            builder.appendUsername(user)
            builder.appendRealm("callrelay")
            builder.appendNonce(nonce ?? fixture.nonce())
            if let list { builder.append(.passwordAlgorithms, list.span.rawBytes) }
            if let choice { builder.append(.passwordAlgorithm, choice.span.rawBytes) }
        }
    }

    private let offered: [UInt8] = [0, 2, 0, 0, 0, 1, 0, 0]
    private let sha256: [UInt8] = [0, 2, 0, 0]
    private let md5: [UInt8] = [0, 1, 0, 0]

    @Test("the whole list and one of it are accepted, and the key is the one that was chosen")
    func both() throws {
        #expect(try fixture.authenticate(request(offered, sha256)).seal?.algorithm == .sha256)
        #expect(try fixture.authenticate(request(offered, md5, key: .md5)).seal?.algorithm == .sha256)
        #expect(try fixture.authenticate(request(offered, md5)).refusal == .unauthenticated)
        #expect(try fixture.authenticate(request(offered, sha256, key: .md5)).refusal == .unauthenticated)
    }

    @Test("the length of parameters that are not there may be anything, as libjuice sends it")
    func uninitialisedLength() throws {
        #expect(try fixture.authenticate(request(offered, [0, 2, 0xAB, 0xCD])).seal?.algorithm == .sha256)
    }

    @Test("without either attribute the key is MD5's, also under MESSAGE-INTEGRITY-SHA256")
    func neither() throws {
        #expect(try fixture.authenticate(request(nil, nil, key: .md5)).seal?.algorithm == .sha1)
        #expect(try fixture.authenticate(request(nil, nil)).refusal == .unauthenticated)
    }

    @Test("400: one attribute without the other, another list than the one sent, a choice that was not offered")
    func halfOrAltered() throws {
        let wrong: [([UInt8]?, [UInt8]?)] = [
            (offered, nil), (nil, sha256), (nil, md5),
            // Shortened, turned round, lengthened, empty, cut, with parameters.
            (md5, md5), (sha256, sha256), ([0, 1, 0, 0, 0, 2, 0, 0], sha256), (offered + [0, 3, 0, 0], sha256),
            ([], md5), ([0, 2, 0, 0, 0, 1], md5), ([0, 2, 0, 4, 0, 1, 0, 0], sha256),
            // Unknown, with parameters, cut.
            (offered, [0, 3, 0, 0]), (offered, [0, 0, 0, 0]), (offered, [0, 2, 0, 4, 1, 2, 3, 4]), (offered, [0, 2]),
            (offered, []),
        ]
        for (list, choice) in wrong {
            for key in [PasswordAlgorithm.md5, .sha256] {
                let refusal = try fixture.authenticate(request(list, choice, key: key)).refusal
                #expect(refusal == .badRequest, "\(String(describing: list)) \(String(describing: choice))")
            }
            #expect(try fixture.authenticate(request(list, choice, user: "nobody")).refusal == .badRequest)
        }
    }

    @Test("a request that loses its algorithms on the way fails: both gone is 401, one gone is 400")
    func stripped() throws {
        let whole = request(offered, sha256)
        // They stand before the integrity attribute: 12 bytes of list, 8 of choice.
        let integrity = whole.count - 36
        let (list, choice) = ((integrity - 20)..<(integrity - 8), (integrity - 8)..<integrity)
        func without(_ range: Range<Int>) -> [UInt8] {
            var bytes = whole
            bytes.removeSubrange(range)
            return withLength(bytes)
        }
        #expect(try fixture.authenticate(whole).user != nil)
        #expect(try fixture.authenticate(without(list.lowerBound..<choice.upperBound)).refusal == .unauthenticated)
        #expect(try fixture.authenticate(without(list)).refusal == .badRequest)
        #expect(try fixture.authenticate(without(choice)).refusal == .badRequest)
    }

    @Test(
        "a nonce whose feature bits were altered on the way to the client is never good, whatever the client makes of it"
    )
    func alteredNonce() throws {
        let nonce = fixture.nonce()
        for bits in ["AAAA", "AAAC", "AAAD", "QAAA"] {
            let altered = "obMatJos2" + bits + nonce.dropFirst(13)
            let asOld = fixture.request("alice", "wonder", nonce: altered)
            #expect(try fixture.authenticate(asOld).refusal == .staleNonce, "\(bits)")
            let asNew = fixture.request("alice", "wonder", nonce: altered, choosing: .sha256)
            #expect(try fixture.authenticate(asNew).refusal == .staleNonce, "\(bits)")
        }
        // The list is gone from the challenge and the bit with it: the client names MD5 without a list.
        let bare = request(nil, md5, key: .md5, nonce: "obMatJos2AAAA" + nonce.dropFirst(13))
        #expect(try fixture.authenticate(bare).refusal == .staleNonce)
    }

    @Test("of both integrity attributes MESSAGE-INTEGRITY-SHA256 decides")
    func bothIntegrities() throws {
        func sealed(sha1: String, sha256: String) -> [UInt8] {
            let first = fixture.request("alice", sha1, nonce: fixture.nonce())
            let key = IntegrityKey.longTerm(username: "alice", realm: "callrelay", password: sha256)
            let covered = withLength(first + [UInt8](repeating: 0, count: 36))
            let code = key.authenticationCode(.sha256, over: Array(covered.dropLast(36)))
            return Array(covered.dropLast(36)) + [0, 0x1C, 0, 32] + code
        }
        let seal = try fixture.authenticate(sealed(sha1: "wonder", sha256: "wonder")).seal
        #expect(seal?.algorithm == .sha1, "no algorithm is named")
        #expect(try fixture.authenticate(sealed(sha1: "blunder", sha256: "wonder")).user != nil)
        #expect(try fixture.authenticate(sealed(sha1: "wonder", sha256: "blunder")).refusal == .unauthenticated)
    }

    @Test("time-limited credentials work with either algorithm and every secret", arguments: ["north", "old north"])
    func timeLimited(secret: String) throws {
        let minted = TimeLimitedCredential.mint(secret: SharedSecret(secret), expiry: .max, name: "~tag~call")
        for choice in [nil, .md5, .sha256] as [PasswordAlgorithm?] {
            let request = fixture.request(minted.username, minted.password, nonce: fixture.nonce(), choosing: choice)
            #expect(try fixture.authenticate(request).user?.callID == "call")
        }
    }

    @Test("an allocation keeps the keys of both algorithms")
    func keptKeys() throws {
        let first = fixture.request("alice", "wonder", nonce: fixture.nonce())
        let kept = try #require(try fixture.authenticate(first).user)
        let later = AuthenticationFixture(staticUsers: ["bob": "builder"], secrets: [])
        for choice in [nil, .md5, .sha256] as [PasswordAlgorithm?] {
            let request = later.request("alice", "wonder", nonce: later.nonce(), choosing: choice)
            let result = try later.authenticate(request, keeping: kept)
            #expect(result.user?.username == "alice")
            #expect(result.seal?.algorithm == (choice == nil ? .sha1 : .sha256))
            #expect(try later.authenticate(request).refusal == .unauthenticated)
        }
    }
}
