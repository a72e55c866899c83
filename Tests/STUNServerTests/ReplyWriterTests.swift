import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@Suite("ReplyWriter")
struct ReplyWriterTests {
    private let fixture = AuthenticationFixture()

    private func refuse(_ refusal: Authenticator.Refusal, _ request: [UInt8]) throws -> [UInt8] {
        let message = try MessageView(parsing: request.span.rawBytes)
        var builder = MessageBuilder(capacity: 512)
        let range = ReplyWriter.refusal(
            refusal,
            to: message,
            from: fixture.client,
            by: fixture.authenticator,
            unixSeconds: AuthenticationFixture.now,
            in: &builder
        )
        return builder.bytes(in: try #require(range)).copied()
    }

    @Test("a challenge leads to an accepted request", arguments: [Authenticator.Refusal.unauthenticated, .staleNonce])
    func challenge(refusal: Authenticator.Refusal) throws {
        let transactionID = TransactionID(high: 0xB7E7_A701, low: 0xBC34_D686_FA87_DFAE)
        let bytes = try refuse(refusal, stunMessage(MessageType(.allocate, .request), transactionID))
        let reply = try MessageView(parsing: bytes.span.rawBytes)
        let (type, code, integrity) = (reply.type, reply.errorCode, reply.integrityAlgorithm)
        let identifier = reply.transactionID
        let (realm, nonce) = (reply.text(.realm), reply.text(.nonce))
        #expect(type == MessageType(.allocate, .error))
        #expect(identifier == transactionID)
        #expect(code == refusal.errorCode)
        #expect(integrity == nil)
        let request = fixture.request("alice", "wonder", nonce: try #require(nonce), realm: try #require(realm))
        #expect(try fixture.authenticate(request).user?.username == "alice")
    }

    @Test("400 names neither realm nor nonce")
    func badRequest() throws {
        let bytes = try refuse(.badRequest, stunMessage(MessageType(.refresh, .request)))
        let reply = try MessageView(parsing: bytes.span.rawBytes)
        let (code, hasRealm, hasNonce) = (reply.errorCode, reply.contains(.realm), reply.contains(.nonce))
        #expect(code == .badRequest)
        #expect(!hasRealm && !hasNonce)
    }

    @Test("401 and 438 offer SHA-256 before MD5 and say so in the nonce; none names a reason or the software")
    func offer() throws {
        for refusal in Authenticator.Refusal.allCases {
            let bytes = try refuse(refusal, stunMessage(MessageType(.allocate, .request)))
            let reply = try MessageView(parsing: bytes.span.rawBytes)
            let (algorithms, reason, software) = (
                reply.passwordAlgorithms, reply.errorReason, reply.contains(.software)
            )
            let (hasName, hasHash) = (reply.contains(.username), reply.contains(.userhash))
            let nonce = reply.text(.nonce).map { Array($0.utf8) }
            let features = nonce.flatMap { SecurityFeatures(nonce: $0.span.rawBytes) }
            #expect(algorithms == (refusal == .badRequest ? nil : [.sha256, .md5]))
            #expect(features == (refusal == .badRequest ? nil : .passwordAlgorithms))
            #expect(reason == "" && !software && !hasName && !hasHash)
        }
    }

    @Test("FINGERPRINT comes back when the request has it")
    func fingerprint() throws {
        for isAsked in [true, false] {
            let bytes = try refuse(
                .unauthenticated,
                stunMessage(MessageType(.allocate, .request), fingerprint: isAsked)
            )
            let reply = try MessageView(parsing: bytes.span.rawBytes)
            let (found, isRight) = (reply.fingerprint != nil, reply.isFingerprintRight)
            #expect(found == isAsked && isRight)
        }
    }

    @Test("the longest realm makes the challenge to a bare request just three times as large, the next is too long")
    func longestRealm() throws {
        func challenge(realm: String) throws -> (size: Int, limit: Int) {
            var generator = SeededGenerator(seed: 1)
            let authenticator = Authenticator(
                credentials: CredentialBook(realm: realm, sharedSecrets: [fixture.secret]),
                nonceKey: NonceKey(using: &generator)
            )
            let request = stunMessage(MessageType(.allocate, .request))
            let message = try MessageView(parsing: request.span.rawBytes)
            var builder = MessageBuilder(capacity: 2_048)
            let range = ReplyWriter.refusal(
                .unauthenticated,
                to: message,
                from: fixture.client,
                by: authenticator,
                unixSeconds: AuthenticationFixture.now,
                in: &builder
            )
            return (try #require(range).count, authenticator.longestRealm)
        }
        // 20 bytes of request and 28 of headers, three times, less the headers of the answer.
        #expect(Authenticator.longestAnswer(requestBytes: 20) == 116)
        for length in [1, 9, 27, 28, 29, 127] {
            let realm = String(repeating: "x", count: length)
            let (size, limit) = try challenge(realm: realm)
            #expect(limit == 28)
            #expect((size <= 116) == (length <= limit), "\(length): \(size)")
        }
    }
}
