import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@testable import TURNRelay

/// What whoever forges a source address can have sent to it.
@Suite("Answers to the unauthenticated")
struct UnauthenticatedReplyTests {
    private static let clients = ["198.51.100.7:40000", "[2001:db8::7]:40000"]

    /// A relay whose realm is as long as it may be.
    private func relay() throws -> TURNScenario {
        var relay = try TURNScenario { $0.limits.unauthenticatedRepliesPerSecond = 0 }
        let realm = String(repeating: "r", count: relay.shard.authenticator.longestRealm)
        relay.shard.replaceCredentials(CredentialBook(realm: realm, sharedSecrets: [TURNScenario.secret]))
        return relay
    }

    /// Every answer keeps to the bound, and carries nothing that is not needed unless it is sealed.
    private func check(_ request: [UInt8], from client: Client, _ relay: inout TURNScenario) throws -> [UInt16?] {
        relay.deliver(request, from: client.flow)
        let envelope = client.flow.client.address.family == .ipv4 ? 28 : 48
        let sent = relay.takeSent()
        return try sent.map { datagram in
            let (answer, asked) = (datagram.bytes.count + envelope, request.count + envelope)
            try claim(datagram.bytes.count < 548, "\(datagram.bytes.count) bytes may not fit into every path")
            try claim(answer <= 3 * asked, "\(answer) bytes for \(asked): \(request) → \(datagram.bytes)")
            let reply = try MessageView(parsing: datagram.bytes.span.rawBytes)
            try claim(reply.integrityAlgorithm == nil && !reply.contains(.software), "\(datagram.bytes)")
            try claim(reply.errorCode == nil || reply.errorReason == "", "a reason phrase in \(datagram.bytes)")
            return reply.errorCode?.rawValue
        }
    }

    @Test("the barest request of every method, in either family, with FINGERPRINT and without")
    func bare() throws {
        var relay = try relay()
        for client in try Self.clients.map({ try relay.client($0) }) {
            for method in [MessageMethod.binding, .allocate, .refresh, .createPermission, .channelBind] {
                for fingerprint in [true, false] {
                    let request = stunMessage(MessageType(method, .request), fingerprint: fingerprint)
                    let codes = try check(request, from: client, &relay)
                    #expect(codes == [method == .binding ? nil : 401])
                }
            }
        }
    }

    @Test("400, 420 and 438 to the smallest requests that cause them")
    func smallest() throws {
        var relay = try relay()
        let key = IntegrityKey.shortTerm(password: "guess")
        for client in try Self.clients.map({ try relay.client($0) }) {
            let incomplete = stunMessage(
                MessageType(.allocate, .request),
                sealedBy: IntegritySeal(key: key, algorithm: .sha1)
            )
            #expect(try check(incomplete, from: client, &relay) == [400])
            for count in [1, 2, 16, 17, 200] {
                let odd = stunMessage(MessageType(.binding, .request)) { builder in
                    for number in 0..<count {
                        builder.append(AttributeType(rawValue: 0x100 + UInt16(number)), text: "")
                    }
                }
                #expect(try check(odd, from: client, &relay) == [420])
            }
            let minted = try relay.client("198.51.100.7:1", name: "", endingIn: 60)
            let realm = String(repeating: "r", count: 28)
            let right = IntegrityKey.longTerm(username: minted.username, realm: realm, password: minted.password)
            let stale = stunMessage(
                MessageType(.refresh, .request),
                sealedBy: IntegritySeal(key: right, algorithm: .sha1)
            ) { builder in
                builder.appendUsername(minted.username)
                builder.appendRealm("")
                builder.appendNonce("")
            }
            #expect(try check(stale, from: client, &relay) == [438])
        }
    }

    @Test("authentication comes before comprehension: what is not understood is told to known users alone")
    func authenticationFirst() throws {
        var relay = try relay()
        let client = try relay.client(Self.clients[0])
        let odd = AttributeType(rawValue: 0x7ABC)
        let bare = stunMessage(MessageType(.allocate, .request)) { $0.append(odd, text: "?") }
        #expect(try check(bare, from: client, &relay) == [401])
        let guess = IntegritySeal(key: .shortTerm(password: "guess"), algorithm: .sha1)
        let incomplete = stunMessage(MessageType(.refresh, .request), sealedBy: guess) { $0.append(odd, text: "?") }
        #expect(try check(incomplete, from: client, &relay) == [400])
    }

    @Test("what a method does not expect is ignored, if it is known, and what is optional in any case")
    func unexpected() throws {
        var relay = try TURNScenario()
        let alice = try relay.client(Self.clients[0])
        let binding = stunMessage(MessageType(.binding, .request)) { builder in
            builder.appendUsername("alice")
            builder.appendRealm("elsewhere")
            builder.appendNonce("stale")
            builder.appendLifetime(seconds: 7)
            builder.appendPasswordAlgorithms([.md5])
            builder.append(AttributeType(rawValue: 0xC001), text: "?")
        }
        #expect(try relay.exchange(binding, alice).mapped == alice.flow.client)
        let reply = try relay.request(.allocate, from: alice) { builder in
            builder.appendRequestedTransport(.udp)
            builder.appendChannelNumber(0x4000)
            builder.appendXORAddress(.xorMappedAddress, alice.flow.client)
            builder.append(AttributeType(rawValue: 0xFFFF), text: "?")
        }
        #expect(reply.isSuccess)
    }

    @Test("no message of whatever content has an unauthenticated answer of more than three times its size")
    func anyRequest() throws {
        var relay = try relay()
        let clients = try Self.clients.map { try relay.client($0) }
        let seals = [IntegrityAlgorithm.sha1, .sha256].map { algorithm in
            IntegritySeal(key: .shortTerm(password: "guess"), algorithm: algorithm)
        }
        var answers = 0
        try checkProperty("unauthenticated answers are small", iterations: 10_000) { generator in
            var request = generator.stunMessage(seal: seals[Int.random(in: 0..<2, using: &generator)])
            if generator.oneIn(3) { request = generator.mutated(request) }
            let client = clients[Int.random(in: 0..<2, using: &generator)]
            answers += try check(request, from: client, &relay).count
        }
        #expect(answers > 1_000)
        #expect(relay.shard.allocationCount == 0)
    }
}
