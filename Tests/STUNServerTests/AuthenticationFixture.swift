import NetPrimitives
import STUNCore
import STUNServer
import TestSupport

/// A server's authenticator and a client that answers its challenges.
struct AuthenticationFixture {
    static let now: UInt64 = 1_900_000_000

    let secret = SharedSecret("north")
    let client = Endpoint(address: IPAddress(ipv4: 0xC000_0201), port: 40_000)
    let authenticator: Authenticator

    init(staticUsers: [String: String] = ["alice": "wonder"], secrets: [String] = ["north", "old north"]) {
        var generator = SeededGenerator(seed: 1)
        let book = CredentialBook(
            realm: "callrelay",
            staticUsers: staticUsers,
            sharedSecrets: secrets.map { SharedSecret($0) }
        )
        authenticator = Authenticator(credentials: book, nonceKey: NonceKey(using: &generator))
    }

    func nonce(at seconds: UInt64 = now, for endpoint: Endpoint? = nil) -> String {
        authenticator.nonces.mint(for: endpoint ?? client, unixSeconds: seconds)
    }

    /// An Allocate request with long-term credentials: as clients of RFC 5389 make it without a `choice`, and as those of
    /// RFC 8489 do with one.
    func request(
        _ username: String,
        _ password: String,
        nonce: String,
        realm: String = "callrelay",
        choosing choice: PasswordAlgorithm? = nil,
        byHash: Bool = false
    ) -> [UInt8] {
        let key = IntegrityKey.longTerm(choice ?? .md5, username: username, realm: realm, password: password)
        let seal = IntegritySeal(key: key, algorithm: choice == nil ? .sha1 : .sha256)
        return stunMessage(MessageType(.allocate, .request), sealedBy: seal) { builder in
            builder.appendRequestedTransport(.udp)
            if byHash {
                builder.appendUserhash(Userhash(username: username, realm: realm))
            } else {
                builder.appendUsername(username)
            }
            builder.appendRealm(realm)
            builder.appendNonce(nonce)
            if let choice {
                builder.appendPasswordAlgorithms([.sha256, .md5])
                builder.appendPasswordAlgorithm(choice)
            }
        }
    }

    /// The user who is accepted, or the refusal.
    func authenticate(
        _ bytes: [UInt8],
        at seconds: UInt64 = now,
        from endpoint: Endpoint? = nil,
        expiry: Authenticator.ExpiryRule = .checked,
        keeping kept: AuthenticatedUser? = nil
    ) throws -> Result {
        let message = try MessageView(parsing: bytes.span.rawBytes)
        let outcome = authenticator.authenticate(
            message,
            from: endpoint ?? client,
            unixSeconds: seconds,
            expiry: expiry,
            keeping: kept
        )
        switch outcome {
        case .accepted(let user, let seal): return Result(user: user, seal: seal, refusal: nil)
        case .refused(let refusal): return Result(user: nil, seal: nil, refusal: refusal)
        }
    }

    struct Result {
        let user: AuthenticatedUser?
        let seal: IntegritySeal?
        let refusal: Authenticator.Refusal?
    }
}

/// The message with the length field that fits its bytes.
func withLength(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    let length = UInt16(bytes.count - 20)
    bytes[2] = UInt8(length >> 8)
    bytes[3] = UInt8(length & 255)
    return bytes
}
