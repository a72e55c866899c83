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
        let bytes = try refuse(refusal, stunMessage(MessageType(.allocate, .request)))
        let reply = try MessageView(parsing: bytes.span.rawBytes)
        let (type, code, integrity) = (reply.type, reply.errorCode, reply.integrityAlgorithm)
        let (realm, nonce) = (reply.text(.realm), reply.text(.nonce))
        #expect(type == MessageType(.allocate, .error))
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

    @Test("a challenge is at most three times the barest request, IP and UDP headers counted on both sides")
    func amplification() throws {
        for fingerprint in [true, false] {
            let request = stunMessage(MessageType(.allocate, .request), fingerprint: fingerprint)
            let reply = try refuse(.unauthenticated, request)
            #expect(reply.count + 28 <= 3 * (request.count + 28))
        }
    }

    @Test("a reply to an authenticated request is sealed the way the request was", arguments: [true, false])
    func sealed(bySHA256: Bool) throws {
        let algorithm: IntegrityAlgorithm = bySHA256 ? .sha256 : .sha1
        let request = fixture.request("alice", "wonder", nonce: fixture.nonce(), algorithm: algorithm)
        let user = try #require(try fixture.authenticate(request).user)
        let message = try MessageView(parsing: request.span.rawBytes)
        var builder = MessageBuilder(capacity: 512)
        let range = ReplyWriter.error(.allocationMismatch, to: message, sealedBy: user.seal, in: &builder)
        let reply = try MessageView(parsing: builder.bytes(in: try #require(range)))
        let (code, used) = (reply.errorCode, reply.integrityAlgorithm)
        let isSealed = reply.verifyIntegrity(algorithm, key: user.seal.key)
        #expect(code == .allocationMismatch)
        #expect(used == algorithm)
        #expect(isSealed)
    }
}
