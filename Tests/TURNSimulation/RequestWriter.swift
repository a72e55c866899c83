import NetPrimitives
import STUNCore
import STUNServer
import TestSupport

/// Writes what the clients ask, each with a credential of its own as the call server mints them: two clients a call.
struct RequestWriter: ~Copyable {
    private static let realm = "example.org"
    private static let secret = SharedSecret("a secret")
    /// The time of day, which stands still.
    static let unixSeconds: UInt64 = 1_800_000_000

    let credentials = CredentialBook(realm: Self.realm, sharedSecrets: [Self.secret])
    private let nonces: NonceMinter
    private var random: SeededGenerator
    private var builder = MessageBuilder(capacity: 2048)

    init(nonceKey: NonceKey, random: SeededGenerator) {
        self.random = random
        nonces = NonceMinter(key: nonceKey, realm: Self.realm, features: credentials.features)
    }

    /// The Allocate request of a client that knows realm and nonce already, and its ChannelBind request.
    mutating func requests(of client: SimulatedClient) -> (allocate: [UInt8], bind: [UInt8]) {
        let credential = TimeLimitedCredential.mint(
            secret: Self.secret,
            expiry: Self.unixSeconds + 86_400,
            tag: RelayUserTag(userID: "user-\(client.number)", secret: Self.secret),
            callID: "call-\(client.number / 2)"
        )
        let nonce = nonces.mint(for: client.flow.client, unixSeconds: Self.unixSeconds)
        let seal = IntegritySeal(
            key: .longTerm(username: credential.username, realm: Self.realm, password: credential.password),
            algorithm: .sha1
        )
        let allocate = request(.allocate, credential.username, nonce, seal) { builder in
            builder.appendRequestedTransport(.udp)
        }
        let bind = request(.channelBind, credential.username, nonce, seal) { builder in
            builder.appendChannelNumber(SimulatedClient.channel)
            builder.appendXORAddress(.xorPeerAddress, client.peer)
        }
        return (allocate, bind)
    }

    private mutating func request(
        _ method: MessageMethod,
        _ username: String,
        _ nonce: String,
        _ seal: IntegritySeal,
        _ appendAttributes: (inout MessageBuilder) -> Void
    ) -> [UInt8] {
        defer { builder.removeAll() }
        builder.begin(MessageType(method, .request), .random(using: &random))
        appendAttributes(&builder)
        builder.appendUsername(username)
        builder.appendRealm(Self.realm)
        builder.appendNonce(nonce)
        guard let range = builder.finish(sealedBy: seal) else { preconditionFailure("a request has no room") }
        return builder.bytes(in: range).copied()
    }
}
