import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@testable import TURNRelay

/// A client in a scenario: where it is and with which credential it signs.
struct Client: Hashable {
    let flow: Flow
    let username: String
    let password: String
}

/// One shard under a virtual clock, with a shell that binds sockets in name only. Reads like the RFC's examples.
struct TURNScenario: ~Copyable {
    static let realm = "example.org"
    static let users = ["alice": "wonderland", "bob": "builder"]
    static let secret = SharedSecret("a secret")
    static let listener = SocketID(slot: 0, generation: 0)

    var shard: TURNShard
    var effects = EffectQueue(effectLimit: 64, byteLimit: 32 * 1024)
    var registry: AllocationRegistry
    var random: SeededGenerator
    var now = Instant(nanoseconds: 5_000_000_000)
    var unixSeconds: UInt64 = 1_800_000_000
    /// Set to keep Allocate requests waiting for their socket.
    var holdsOpening = false
    /// Set to a number of ports that another process has, counted from the lowest.
    var takenPorts: UInt16 = 0
    private(set) var sent: [Datagram] = []
    private(set) var events: [RelayEvent] = []
    private(set) var openings: [AllocationID: RelayRequest] = [:]
    private(set) var leases: [SocketID: RelayLease] = [:]
    /// Shared with the shard, as with all shards of a server.
    let liveRelays: LiveRelayPorts
    private let lowestPort: UInt16
    private var socketCount: UInt32 = 0

    struct Datagram: Hashable {
        let bytes: [UInt8]
        let destination: Endpoint
    }

    init(
        seed: UInt64 = 7,
        allowing allowed: [String] = ["127.0.0.0/8", "203.0.113.0/24", "2001:db8::/32"],
        ports: ClosedRange<UInt16> = 49_152...65_535,
        quota: Int = 0,
        _ configure: (inout TURNConfiguration) throws -> Void = { _ in }
    ) throws {
        var random = SeededGenerator(seed: seed)
        let nonceKey = NonceKey(using: &random)
        var configuration = TURNConfiguration(
            relays: RelayAddresses(ipv4: RelayAddress(bound: try IPAddress(parsing: "192.0.2.1"))),
            peers: PeerPolicy(allowed: try allowed.map { try IPPrefix(parsing: $0) })
        )
        try configure(&configuration)
        let relays = [configuration.relays.ipv4, configuration.relays.ipv6].compactMap(\.self)
        liveRelays = LiveRelayPorts(relays)
        configuration.liveRelays = liveRelays
        let book = CredentialBook(realm: Self.realm, staticUsers: Self.users, sharedSecrets: [Self.secret])
        shard = TURNShard(
            configuration: configuration,
            credentials: book,
            nonceKey: nonceKey,
            tableSeed: random.next()
        )
        var limits = AllocationRegistry.Limits()
        limits.perUser = quota
        registry = AllocationRegistry(ports: ports, limits: limits)
        lowestPort = ports.lowerBound
        self.random = random
    }

    func client(_ endpoint: String, user: String = "alice") throws -> Client {
        let flow = Flow(client: try Endpoint(parsing: endpoint), socket: Self.listener, transport: .udp)
        return Client(flow: flow, username: user, password: Self.users[user] ?? "")
    }

    /// A client with a time-limited credential that ends `seconds` from now.
    func client(_ endpoint: String, name: String, endingIn seconds: UInt64) throws -> Client {
        let credential = TimeLimitedCredential.mint(secret: Self.secret, expiry: unixSeconds + seconds, name: name)
        let flow = Flow(client: try Endpoint(parsing: endpoint), socket: Self.listener, transport: .udp)
        return Client(flow: flow, username: credential.username, password: credential.password)
    }

    /// A client with a credential of our own form, minted for a call, that ends `seconds` from now.
    func client(_ endpoint: String, user: String, inCall call: String, endingIn seconds: UInt64 = 3600) throws -> Client
    {
        let tag = RelayUserTag(userID: user, secret: Self.secret)
        let expiry = unixSeconds + seconds
        let credential = TimeLimitedCredential.mint(secret: Self.secret, expiry: expiry, tag: tag, callID: call)
        let flow = Flow(client: try Endpoint(parsing: endpoint), socket: Self.listener, transport: .udp)
        return Client(flow: flow, username: credential.username, password: credential.password)
    }

    mutating func advance(bySeconds seconds: UInt32) {
        now = now.advanced(bySeconds: seconds)
        unixSeconds += UInt64(seconds)
    }

    func nonce(for client: Client) -> String {
        shard.authenticator.nonces.mint(for: client.flow.client, unixSeconds: unixSeconds)
    }

    /// The socket behind the relayed address that `client` was given, the only one or that of `family`.
    func relay(of client: Client, _ family: IPAddress.Family? = nil) throws -> SocketID {
        let found = shard.allocation(of: client.flow)
        let allocation = try #require(found)
        return try #require(family.map { allocation.relay($0) } ?? allocation.relays.first?.socket)
    }

    /// Does what a shell does with a client's datagram. Answers the verdict that it was not control, if so.
    @discardableResult
    mutating func deliver(_ bytes: [UInt8], from flow: Flow) -> Verdict {
        let verdict = shard.route(bytes.span.rawBytes, from: flow, now: now)
        guard verdict == .control else { return verdict }
        shard.handle(bytes.span.rawBytes, from: flow, now: now, unixSeconds: unixSeconds, into: &effects)
        applyEffects()
        return .control
    }

    mutating func sweep(limit: Int = 1000) {
        shard.sweep(now: now, limit: limit, into: &effects)
        applyEffects()
    }

    /// A call is over, as the shell is told.
    mutating func endCall(_ call: String, credentialSeconds: UInt32 = 3600) {
        let ended = EndedCall(callID: call, credentialSeconds: credentialSeconds)
        while !shard.endCall(ended, now: now, into: &effects) { applyEffects() }
        applyEffects()
    }

    /// The drain's deadline.
    mutating func closeAll() {
        while !shard.closeAll(into: &effects) { applyEffects() }
        applyEffects()
    }

    mutating func complete(_ id: AllocationID, _ outcome: RelayOpenOutcome) {
        openings[id] = nil
        shard.relayOpened(id, outcome, now: now, into: &effects)
        applyEffects()
    }

    /// What was sent since the last time.
    mutating func takeSent() -> [Datagram] {
        defer { sent = [] }
        return sent
    }

    mutating func takeEvents() -> [RelayEvent] {
        defer { events = [] }
        return events
    }

    func expectNothingSent(_ location: SourceLocation = #_sourceLocation) {
        #expect(sent.isEmpty, sourceLocation: location)
    }

    mutating func applyEffects() {
        var index = 0
        while index < effects.count {
            switch effects[index] {
            case .send(let slice, let socket, let destination):
                #expect(socket == Self.listener)
                sent.append(Datagram(bytes: effects.bytes(slice).copied(), destination: destination))
            case .openRelay(let id, let request):
                if holdsOpening { openings[id] = request } else { open(id, request) }
            case .closeRelay(let socket):
                let lease = leases.removeValue(forKey: socket)
                #expect(lease != nil, "a socket is closed once")
                if let lease {
                    liveRelays.close(lease.endpoint)
                    registry.release(lease, now: now)
                }
            case .report(let event):
                events.append(event)
            }
            index += 1
        }
        effects.removeAll()
    }

    private mutating func open(_ id: AllocationID, _ request: RelayRequest) {
        var answer = registry.lease(effects.name(request.user), request.wish, now: now, random: &random)
        while case .leased(let lease) = answer, lease.endpoint.port < lowestPort + takenPorts {
            answer = registry.retry(lease, now: now, random: &random)
        }
        let outcome: RelayOpenOutcome
        switch answer {
        case .leased(let lease):
            socketCount += 1
            let socket = SocketID(slot: socketCount, generation: 0)
            leases[socket] = lease
            liveRelays.open(lease.endpoint)
            outcome =
                lease.reservation.map { .openedPair(socket, lease.endpoint, $0) } ?? .opened(socket, lease.endpoint)
        case .quota: outcome = .quota
        case .capacity: outcome = .capacity
        }
        shard.relayOpened(id, outcome, now: now, into: &effects)
    }
}
