public import NetPrimitives
internal import STUNCore

/// A TURN user name and its password.
public struct LoadCredential: Hashable, Sendable {
    /// USERNAME as it is sent.
    public let username: String
    /// What the key is made of.
    public let password: String

    /// A credential of the long-term mechanism.
    public init(username: String, password: String) {
        self.username = username
        self.password = password
    }
}

/// How payloads travel between client and server.
public enum LoadMode: String, CaseIterable, Sendable {
    /// In ChannelData.
    case channel
    /// In Send and Data indications.
    case indication
}

/// One client of a TURN server, from the first Allocate to the last Refresh: bytes in, bytes out, no socket and no clock.
///
/// It allocates, then binds a channel to its peer or permits it, depending on the mode, and is then ready. What has to be
/// renewed is renewed when `renew` is called.
public struct ClientSession: Sendable {
    /// How far it has come.
    public enum Phase: Hashable, Sendable {
        case allocating, opening, ready, renewing(RenewalStep), ending, ended
        /// The server refused; the text says what.
        case failed(String)
    }

    /// The two requests that keep an allocation and its way to the peer alive.
    public enum RenewalStep: Hashable, Sendable { case allocation, way }

    /// The number of the channel; the same in all sessions.
    public static let channel: UInt16 = 0x4001
    /// What an Allocate asks for, in seconds.
    static let lifetimeSeconds: UInt32 = 3600
    /// How often a request is refused with a new nonce before the session gives up.
    private static let challengeLimit = 4

    /// How far it has come.
    public private(set) var phase = Phase.allocating
    /// Where peers reach it; nil before it is allocated.
    public private(set) var relayed: Endpoint?
    /// The request that waits for its answer; to be sent again when none comes.
    public private(set) var pending: [UInt8] = []

    private let credential: LoadCredential
    private let peer: Endpoint
    private let mode: LoadMode
    private var key: IntegrityKey?
    private var realm = ""
    private var nonce = ""
    private var challenges = 0
    private var transaction = TransactionID(high: 0, low: 0)

    /// A session that has sent nothing yet.
    public init(credential: LoadCredential, peer: Endpoint, mode: LoadMode) {
        self.credential = credential
        self.peer = peer
        self.mode = mode
    }

    /// The first request, without a credential: the server has to name its realm first.
    public mutating func start(using generator: inout some RandomNumberGenerator) {
        ask(.allocate, using: &generator)
    }

    /// Keeps allocation and way alive; does nothing unless it is ready.
    public mutating func renew(using generator: inout some RandomNumberGenerator) {
        guard phase == .ready else { return }
        phase = .renewing(.allocation)
        ask(.refresh, using: &generator)
    }

    /// Gives the allocation back.
    public mutating func end(using generator: inout some RandomNumberGenerator) {
        phase = .ending
        ask(.refresh, using: &generator)
    }

    /// Takes a message from the server. Answers whether `pending` is to be sent now.
    public mutating func receive(_ bytes: RawSpan, using generator: inout some RandomNumberGenerator) -> Bool {
        guard let message = try? MessageView(parsing: bytes), message.transactionID == transaction, !pending.isEmpty
        else {
            return false
        }
        switch message.type.messageClass {
        case .success: return advance(message, using: &generator)
        case .error: return challenged(message, using: &generator)
        case .request, .indication: return false
        }
    }

    private mutating func advance(_ message: MessageView, using generator: inout some RandomNumberGenerator) -> Bool {
        pending = []
        challenges = 0
        switch phase {
        case .allocating:
            guard let relayed = message.xorAddress(.xorRelayedAddress) else {
                return fail("an answer without an address")
            }
            self.relayed = relayed
            phase = .opening
        case .renewing(.allocation):
            phase = .renewing(.way)
        case .opening, .renewing(.way):
            phase = .ready
            return false
        case .ending:
            phase = .ended
            return false
        case .ready, .ended, .failed: return false
        }
        ask(mode == .channel ? .channelBind : .createPermission, using: &generator)
        return true
    }

    private mutating func challenged(_ message: MessageView, using generator: inout some RandomNumberGenerator) -> Bool
    {
        let code = message.errorCode?.rawValue ?? 0
        guard code == 401 || code == 438, challenges < Self.challengeLimit, let realm = message.text(.realm),
            let nonce = message.text(.nonce)
        else {
            return fail("\(code) \(message.errorReason ?? "")")
        }
        // A second 401 with a key is the server's last word on the credential.
        if code == 401, key != nil { return fail("401 \(message.errorReason ?? ""): is the secret or password right?") }
        challenges += 1
        if key == nil || realm != self.realm {
            key = .longTerm(username: credential.username, realm: realm, password: credential.password)
        }
        self.realm = realm
        self.nonce = nonce
        ask(message.type.method, using: &generator)
        return true
    }

    private mutating func fail(_ reason: String) -> Bool {
        pending = []
        phase = .failed(reason)
        return false
    }

    /// Writes the request of `method` that the phase calls for into `pending`.
    private mutating func ask(_ method: MessageMethod, using generator: inout some RandomNumberGenerator) {
        transaction = .random(using: &generator)
        var builder = MessageBuilder(capacity: 1024)
        builder.begin(MessageType(method, .request), transaction)
        switch method {
        case .allocate:
            builder.appendRequestedTransport(.udp)
            if peer.address.family == .ipv6 { builder.appendRequestedAddressFamily(.ipv6) }
            builder.appendLifetime(seconds: Self.lifetimeSeconds)
        case .refresh:
            builder.appendLifetime(seconds: phase == .ending ? 0 : Self.lifetimeSeconds)
        case .channelBind:
            builder.appendChannelNumber(Self.channel)
            builder.appendXORAddress(.xorPeerAddress, peer)
        default:
            builder.appendXORAddress(.xorPeerAddress, peer)
        }
        if let key {
            builder.appendUsername(credential.username)
            builder.appendRealm(realm)
            builder.appendNonce(nonce)
            pending = Self.bytes(&builder, IntegritySeal(key: key, algorithm: .sha1))
        } else {
            pending = Self.bytes(&builder, nil)
        }
    }

    private static func bytes(_ builder: inout MessageBuilder, _ seal: IntegritySeal?) -> [UInt8] {
        // Names are bounded by the command line, realm and nonce by the server's own message, which fitted too.
        guard let range = builder.finish(sealedBy: seal) else { return [] }
        return builder.bytes(in: range).copied()
    }
}
