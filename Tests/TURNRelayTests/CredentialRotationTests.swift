import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@testable import TURNRelay

@Suite("Credentials that change under a live relay")
struct CredentialRotationTests {
    private func book(_ secrets: String..., users: [String: String] = [:]) -> CredentialBook {
        CredentialBook(
            realm: TURNScenario.realm,
            staticUsers: users,
            sharedSecrets: secrets.map { SharedSecret($0) }
        )
    }

    private func client(_ endpoint: String, secret: String, in relay: borrowing TURNScenario) throws -> Client {
        let minted = TimeLimitedCredential.mint(secret: SharedSecret(secret), expiry: relay.unixSeconds + 60, name: "x")
        let flow = try relay.client(endpoint).flow
        return Client(flow: flow, username: minted.username, password: minted.password)
    }

    @Test("while both secrets stand, the credentials of both open allocations")
    func overlap() throws {
        var relay = try TURNScenario()
        relay.shard.replaceCredentials(book("new", "old"))
        try relay.allocate(try client("198.51.100.7:1", secret: "old", in: relay))
        try relay.allocate(try client("198.51.100.7:2", secret: "new", in: relay))
    }

    @Test("an allocation outlives the removal of its secret, the expiry of its name, and takes either algorithm")
    func removal() throws {
        var relay = try TURNScenario()
        relay.shard.replaceCredentials(book("new", "old"))
        let old = try client("198.51.100.7:1", secret: "old", in: relay)
        try relay.allocate(old)
        relay.shard.replaceCredentials(book("new"))
        relay.advance(bySeconds: 120)
        #expect(try relay.refresh(old).isSuccess)
        #expect(try relay.permit(old, "203.0.113.1").isSuccess)
        #expect(try relay.bind(old, 0x4000, "203.0.113.1:80").isSuccess)
        for byHash in [true, false] {
            let bytes = relay.modernRequestBytes(.refresh, from: old, byHash: byHash)
            #expect(try relay.exchange(bytes, old).isSuccess)
        }
        // The same credential opens nothing new, and another good one does not take the allocation over.
        let again = Client(
            flow: try relay.client("198.51.100.7:2").flow,
            username: old.username,
            password: old.password
        )
        #expect(try relay.exchange(relay.allocateBytes(again), again).code == 401)
        let new = try client("198.51.100.7:1", secret: "new", in: relay)
        #expect(try relay.refresh(new, lifetime: 0).code == 441)
        #expect(try relay.refresh(old, lifetime: 0).lifetime == 0)
        #expect(try relay.refresh(old).code == 401, "with the allocation its keys are gone")
    }

    @Test("a static user who is removed keeps the allocation and gets no other")
    func staticUser() throws {
        var relay = try TURNScenario()
        relay.shard.replaceCredentials(book(users: ["alice": "wonderland", "bob": "builder"]))
        let alice = try relay.client("198.51.100.7:1")
        let reply = try relay.exchange(relay.modernRequestBytes(.allocate, from: alice, byHash: true), alice)
        #expect(reply.isSuccess)
        relay.shard.replaceCredentials(book(users: ["bob": "builder"]))
        #expect(try relay.exchange(relay.modernRequestBytes(.refresh, from: alice, byHash: true), alice).isSuccess)
        #expect(try relay.refresh(alice).isSuccess)
        let second = try relay.client("198.51.100.7:2")
        #expect(try relay.exchange(relay.allocateBytes(second), second).code == 401)
    }

    @Test("a nonce of before stays good, unless what it announces is no longer so: then 438 brings the new one")
    func nonces() throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:1")
        let nonce = relay.nonce(for: alice)
        relay.shard.replaceCredentials(book("new", users: TURNScenario.users))
        #expect(relay.nonce(for: alice) == nonce)
        relay.shard.replaceCredentials(book(users: TURNScenario.users))
        let stale = try relay.request(.allocate, from: alice, nonce: nonce) { $0.appendRequestedTransport(.udp) }
        #expect(stale.code == 438 && stale.nonce?.hasPrefix("obMatJos2AAAD") == true)
        let fresh = try relay.request(.allocate, from: alice, nonce: stale.nonce) { $0.appendRequestedTransport(.udp) }
        #expect(fresh.isSuccess)
    }

    @Test(
        "a request that names its algorithm is answered under MESSAGE-INTEGRITY-SHA256, another under MESSAGE-INTEGRITY",
        arguments: [true, false]
    )
    func sealing(namesAlgorithm: Bool) throws {
        var relay = try TURNScenario()
        let alice = try relay.client("198.51.100.7:1")
        let key = IntegrityKey.longTerm(
            namesAlgorithm ? .sha256 : .md5,
            username: "alice",
            realm: TURNScenario.realm,
            password: "wonderland"
        )
        // 437, a success, another, 400.
        for (method, code) in [(MessageMethod.refresh, 437), (.allocate, nil), (.refresh, nil), (.channelBind, 400)]
            as [(MessageMethod, UInt16?)]
        {
            let request =
                namesAlgorithm
                ? relay.modernRequestBytes(method, from: alice)
                : relay.requestBytes(method, from: alice) { $0.appendRequestedTransport(.udp) }
            relay.deliver(request, from: alice.flow)
            let bytes = try #require(relay.takeSent().first).bytes
            let message = try MessageView(parsing: bytes.span.rawBytes)
            let isSealed = message.verifyIntegrity(namesAlgorithm ? .sha256 : .sha1, key: key)
            let (sha1, sha256) = (message.messageIntegrity != nil, message.messageIntegritySHA256 != nil)
            let (answered, about) = (message.errorCode?.rawValue, message.type.method)
            #expect(answered == code && about == method)
            #expect(isSealed && sha1 == !namesAlgorithm && sha256 == namesAlgorithm, "\(method)")
            for type in [AttributeType.username, .userhash, .realm, .nonce, .passwordAlgorithms] {
                let isThere = message.contains(type)
                #expect(!isThere, "\(type) in the answer to \(method)")
            }
        }
    }
}

extension TURNScenario {
    /// A request as a client of RFC 8489 signs it: SHA-256 chosen from the whole list.
    mutating func modernRequestBytes(_ method: MessageMethod, from client: Client, byHash: Bool = false) -> [UInt8] {
        let (username, nonce) = (client.username, nonce(for: client))
        let key = IntegrityKey.longTerm(.sha256, username: username, realm: Self.realm, password: client.password)
        return stunMessage(
            MessageType(method, .request),
            .random(using: &random),
            sealedBy: IntegritySeal(key: key, algorithm: .sha256)
        ) { builder in
            if method == .allocate { builder.appendRequestedTransport(.udp) }
            if byHash {
                builder.appendUserhash(Userhash(username: username, realm: Self.realm))
            } else {
                builder.appendUsername(username)
            }
            builder.appendRealm(Self.realm)
            builder.appendNonce(nonce)
            builder.appendPasswordAlgorithms([.sha256, .md5])
            builder.appendPasswordAlgorithm(.sha256)
        }
    }
}
