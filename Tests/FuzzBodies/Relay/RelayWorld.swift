import NetPrimitives
import STUNCore
import STUNServer
import TURNRelay

/// One shard and the registry under a virtual clock, with a shell that binds sockets in name only.
struct RelayWorld: ~Copyable {
    /// How generous this history's server is.
    struct Settings {
        let ports: ClosedRange<UInt16>
        let quotaPerUser: Int
        let repliesPerSecond: UInt32
        /// Whether the IPv4 relay address is known to the outside as another.
        let isTranslated: Bool
        let seed: UInt64

        init(_ input: inout FuzzInput) {
            let bits = input.byte()
            ports = bits & 1 == 0 ? 50_000...50_007 : 50_001...50_003
            quotaPerUser = bits & 2 == 0 ? 0 : 2
            repliesPerSecond = bits & 4 == 0 ? 0 : 1
            isTranslated = bits & 8 != 0
            seed = UInt64(bits)
        }
    }

    /// What becomes of the next relay sockets.
    enum Opening: CaseIterable {
        /// The first port that is drawn is free.
        case free
        /// Another process has the first two ports that are drawn.
        case taken
        /// Another process has them all.
        case allTaken
        /// One more socket can be had in this step, no second one.
        case onlyOne
        /// No descriptor is left.
        case outOfDescriptors
        /// The server drains.
        case refused
    }

    struct Datagram {
        let bytes: [UInt8]
        let destination: Endpoint
    }

    var shard: TURNShard
    var registry: AllocationRegistry
    var ledger = RelayLedger()
    var now = Instant(nanoseconds: 5_000_000_000)
    var unixSeconds = RelayCast.start
    /// Every relay socket that ever was, oldest first.
    var everOpened: [SocketID] = []
    var opening = Opening.free
    /// The last request and its bytes, for retransmissions.
    var last: (request: RelayRequestText, bytes: [UInt8])?
    var token: ReservationToken?
    var nonces: [Flow: String] = [:]
    var leases: [SocketID: RelayLease] = [:]
    /// The names of all who were ever charged for a lease.
    var chargedUsers: Set<String> = []
    /// Closed, and no longer charged, but bound until what waits to leave has left.
    var closing: [RelayLease] = []
    var openedInStep = 0
    /// Calls that are over, whose credentials are good for nothing new.
    var endedUsers: Set<String> = []
    var effects = EffectQueue(effectLimit: 64, byteLimit: 32 * 1024)
    var random: SplitMix
    let settings: Settings
    let liveRelays: LiveRelayPorts
    static let allocationLimit = 5

    init(_ settings: Settings) {
        self.settings = settings
        var random = SplitMix(state: settings.seed)
        let nonceKey = NonceKey(using: &random)
        let relays = RelayAddresses(
            ipv4: RelayAddress(
                bound: RelayCast.relayIPv4,
                external: settings.isTranslated ? RelayCast.externalIPv4 : nil
            ),
            ipv6: RelayAddress(bound: RelayCast.relayIPv6)
        )
        let addresses = [relays.ipv4, relays.ipv6].compactMap(\.self)
        liveRelays = LiveRelayPorts(addresses)
        var configuration = TURNConfiguration(
            relays: relays,
            peers: PeerPolicy(allowed: RelayCast.allowedPrefixes, ownRelays: addresses)
        )
        configuration.liveRelays = liveRelays
        configuration.limits.allocationsPerShard = Self.allocationLimit
        configuration.limits.permissionsPerAllocation = 4
        configuration.limits.channelsPerAllocation = 3
        configuration.limits.peersPerRequest = 4
        configuration.limits.unauthenticatedRepliesPerSecond = settings.repliesPerSecond
        shard = TURNShard(
            configuration: configuration,
            credentials: RelayCast.book,
            nonceKey: nonceKey,
            tableSeed: random.next()
        )
        var limits = AllocationRegistry.Limits()
        limits.perUser = settings.quotaPerUser
        registry = AllocationRegistry(ports: settings.ports, limits: limits)
        self.random = random
    }

    mutating func advance(bySeconds seconds: UInt32) {
        now = now.advanced(bySeconds: seconds)
        unixSeconds += UInt64(seconds)
    }

    mutating func sweep(limit: Int) throws(FuzzFinding) {
        shard.sweep(now: now, limit: limit, into: &effects)
        let sent = try applyEffects(of: nil)
        try expect(sent.isEmpty, "a sweep sends")
    }

    /// Does what a shell does with a client's datagram and answers what was sent back.
    mutating func deliver(_ bytes: [UInt8], from flow: Flow) throws(FuzzFinding) -> [Datagram] {
        switch shard.route(bytes.span.rawBytes, from: flow, now: now) {
        case .drop: return []
        case .forward(let forward):
            let peer = named(forward.destination)
            try ledger.checkUp(forward, of: bytes.span.rawBytes, from: flow, to: peer, now: now)
            if peer.address == RelayCast.externalIPv4 || forward.destination.address == RelayCast.relayIPv4 {
                let isLive = leases.values.contains { $0.endpoint == forward.destination }
                try expect(isLive, "\(forward.destination) is this host and no relay")
            }
            return []
        case .control: break
        }
        shard.handle(bytes.span.rawBytes, from: flow, now: now, unixSeconds: unixSeconds, into: &effects)
        let sent = try applyEffects(of: flow)
        try expect(sent.count <= 1, "\(sent.count) answers to one datagram")
        for answer in sent { try checkAnswer(answer, to: bytes, flow) }
        return sent
    }

    /// Hears `byteCount` bytes of a peer on a relay socket that is or was.
    mutating func hear(_ byteCount: Int, from peer: Endpoint, on socket: SocketID) throws(FuzzFinding) {
        switch shard.routePeer(byteCount: byteCount, from: peer, on: socket, now: now) {
        case .drop: return
        case .control: throw FuzzFinding(description: "a peer's datagram is taken for a request")
        case .forward(let forward): try ledger.checkDown(forward, byteCount, from: named(peer), on: socket, now: now)
        }
    }

    /// How clients know `endpoint`: own relays behind a NAT by their external address.
    private func named(_ endpoint: Endpoint) -> Endpoint {
        guard settings.isTranslated, endpoint.address == RelayCast.relayIPv4,
            leases.values.contains(where: { $0.endpoint == endpoint })
        else { return endpoint }
        return Endpoint(address: RelayCast.externalIPv4, port: endpoint.port)
    }

    /// Hears an ICMP error about a datagram from a relay socket that is or was. Anybody may have forged it.
    mutating func hear(_ error: ICMPError, on socket: SocketID) throws(FuzzFinding) {
        shard.handleICMP(error, on: socket, now: now, random: &random, into: &effects)
        let sent = try applyEffects(of: nil)
        try expect(sent.count <= 1, "\(sent.count) answers to one ICMP error")
        guard let notice = sent.first else { return }
        // The error names the peer as the datagram did on the wire.
        let peer = named(error.peer)
        try ledger.checkNotice(of: peer, to: notice.destination, on: socket, now: now)
        let message = try parse(notice.bytes.span.rawBytes)
        try expect(message.type == MessageType(.data, .indication), "an ICMP error is told as \(message.type)")
        try expect(message.xorAddress(.xorPeerAddress) == peer, "an ICMP error of another peer")
        try expect(message.icmp != nil && message.dataRange == nil, "a notice without ICMP, or with data")
    }

    /// Sends a request and enters into the ledger what it was granted. Answers whether it was.
    @discardableResult
    mutating func exchange(_ request: RelayRequestText, _ bytes: [UInt8]) throws(FuzzFinding) -> Bool {
        let answers = try deliver(bytes, from: request.flow)
        guard let answer = answers.first else { return false }
        let message = try parse(answer.bytes.span.rawBytes)
        try expect(message.transactionID == request.transactionID, "the answer belongs to another transaction")
        try expect(message.type.method == request.method, "the answer is of another method")
        if let nonce = message.text(.nonce) { nonces[request.flow] = nonce }
        guard message.type.messageClass == .success else { return false }
        try enter(message, to: request)
        return true
    }

    /// Enters into the ledger what a success grants to who sent `request`.
    mutating func enter(_ message: MessageView, to request: RelayRequestText) throws(FuzzFinding) {
        if let token = message.reservationToken { self.token = token }
        let isEnded = request.method == .allocate && endedUsers.contains(request.user.name)
        try expect(!isEnded, "\(request.user.name) allocates though its call is over")
        if request.method != .binding {
            let algorithm = try unwrap(message.integrityAlgorithm, "a success without integrity")
            let isOurs = request.user.keys.values.contains { message.verifyIntegrity(algorithm, key: $0) }
            try expect(isOurs, "a success sealed with somebody else's key")
        }
        ledger.grant(request, lifetimeSeconds: message.lifetimeSeconds, to: request.flow, now: now)
    }

    /// The flow's nonce, asked for as a client does.
    mutating func nonce(of flow: Flow) throws(FuzzFinding) -> String {
        if let nonce = nonces[flow] { return nonce }
        var builder = MessageBuilder(capacity: 64)
        builder.begin(MessageType(.refresh, .request), TransactionID(high: 1, low: 1))
        let range = try unwrap(builder.finish(), "an empty request does not fit")
        let bytes = builder.bytes(in: range).copied()
        guard let answer = try deliver(bytes, from: flow).first else { return "" }
        let nonce = try unwrap(try parse(answer.bytes.span.rawBytes).text(.nonce), "a 401 without nonce")
        nonces[flow] = nonce
        return nonce
    }

    /// What nobody has proved to have asked for is small: at most three times what came, headers counted on both sides.
    private func checkAnswer(_ answer: Datagram, to bytes: [UInt8], _ flow: Flow) throws(FuzzFinding) {
        try expect(answer.destination == flow.client, "the answer goes to \(answer.destination)")
        try expect(answer.bytes.count < 548, "an answer of \(answer.bytes.count) bytes")
        let message = try parse(answer.bytes.span.rawBytes)
        try expect(message.isFingerprintRight, "the answer's fingerprint is wrong")
        guard message.integrityAlgorithm == nil else { return }
        let isSmall = answer.bytes.count + 28 <= 3 * (bytes.count + 28)
        try expect(isSmall, "\(answer.bytes.count) bytes answer \(bytes.count) from anybody")
    }
}
