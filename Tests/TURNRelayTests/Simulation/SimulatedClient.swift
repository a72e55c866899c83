import NetPrimitives
import STUNCore
import STUNServer
import TestSupport

@testable import TURNRelay

/// A client that does everything a client may do, and much that it may not, as a seed says.
struct SimulatedClient {
    /// What it is like.
    enum Habit {
        /// Allocates, uses and refreshes; forgets everything now and then.
        case plain
        /// Asks without ever proving anything.
        case flooding
        /// Sends damaged datagrams among good ones.
        case vandal
    }

    let endpoint: Endpoint
    let habit: Habit
    var username: String
    var remainingActions: Int
    /// Everything below is what it remembers, and loses when it comes back after a crash.
    private var nonce: String?
    private var unanswered: (bytes: [UInt8], transaction: TransactionID)?
    private(set) var relayed: [Endpoint] = []
    private var channels: [UInt16: Endpoint] = [:]
    private var permitted: [Endpoint] = []
    /// The server says that there is an allocation, and this client has forgotten it.
    private var isMistaken = false
    /// Requests of long ago, which somebody may send again.
    private var sentRequests: [[UInt8]] = []

    init(endpoint: Endpoint, habit: Habit, username: String, actions: Int) {
        self.endpoint = endpoint
        self.habit = habit
        self.username = username
        remainingActions = actions
    }

    /// What it sends at one moment.
    mutating func act(
        _ setting: SimulatedWorld.Setting,
        _ peers: [Endpoint],
        _ tokens: [RelayOracle.Reservation],
        _ random: inout SeededGenerator
    ) -> [[UInt8]] {
        remainingActions -= 1
        switch habit {
        case .flooding:
            return (0..<Int.random(in: 1...40, using: &random)).map { _ in bareAllocate(&random) }
        case .vandal where random.oneIn(2):
            return [random.mutated(sentRequests.last ?? data(peers, &random))]
        case .plain, .vandal:
            break
        }
        if random.oneIn(60) { return forget() }
        if let unanswered, !random.oneIn(4) { return [unanswered.bytes] }
        if random.oneIn(25), let old = pick(sentRequests, &random) { return [old] }
        guard nonce != nil else { return [bareAllocate(&random)] }
        if isMistaken, relayed.isEmpty {
            isMistaken = false
            return [release(setting, &random)]
        }
        if relayed.isEmpty { return [random.oneIn(10) ? data(peers, &random) : allocate(setting, tokens, &random)] }
        switch Int.random(in: 0..<20, using: &random) {
        case 0...1: return [refresh(setting, &random)]
        case 2...4: return [permit(setting, peers, &random)]
        case 5...6: return [bind(setting, peers, &random)]
        case 7: return [allocate(setting, tokens, &random)]
        case 8: return [binding(&random)]
        case 9: return [asSomebodyElse(setting, &random)]
        default: return (0..<Int.random(in: 1...8, using: &random)).map { _ in data(peers, &random) }
        }
    }

    /// Learns from a response, if it is one that it waits for.
    mutating func receive(_ bytes: [UInt8]) {
        guard let message = try? MessageView(parsing: bytes.span.rawBytes) else { return }
        if let fresh = message.text(.nonce) { nonce = fresh }
        guard message.transactionID == unanswered?.transaction else { return }
        unanswered = nil
        if message.type == MessageType(.allocate, .success) {
            relayed = []
            var reader = message.attributes
            while let attribute = reader.next() {
                guard attribute.type == .xorRelayedAddress else { continue }
                if let endpoint = message.xorAddress(attribute) { relayed.append(endpoint) }
            }
        } else if message.type == MessageType(.allocate, .error), message.errorCode == .allocationMismatch {
            isMistaken = true
        } else if message.errorCode == .allocationMismatch || message.lifetimeSeconds == 0 {
            relayed = []
            channels = [:]
            permitted = []
        }
    }

    /// The program dies and starts again with the same port.
    private mutating func forget() -> [[UInt8]] {
        nonce = nil
        unanswered = nil
        relayed = []
        channels = [:]
        permitted = []
        return []
    }

    // MARK: Requests

    private func pick<Element>(_ elements: [Element], _ random: inout SeededGenerator) -> Element? {
        elements.isEmpty ? nil : elements[Int.random(in: 0..<elements.count, using: &random)]
    }

    private mutating func bareAllocate(_ random: inout SeededGenerator) -> [UInt8] {
        simulatedMessage(.allocate, .request, .random(using: &random)) { $0.appendRequestedTransport(.udp) }
    }

    private mutating func binding(_ random: inout SeededGenerator) -> [UInt8] {
        simulatedMessage(.binding, .request, .random(using: &random)) { _ in }
    }

    private mutating func request(
        _ method: MessageMethod,
        _ setting: SimulatedWorld.Setting,
        _ random: inout SeededGenerator,
        _ appendAttributes: (inout MessageBuilder) -> Void
    ) -> [UInt8] {
        let transaction = TransactionID.random(using: &random)
        let signer = random.oneIn(40) ? pick(setting.users, &random)?.name ?? username : username
        let key = random.oneIn(40) ? nil : setting.keys[signer]
        let seal = IntegritySeal(key: key ?? setting.wrongKey, algorithm: .sha1)
        let bytes = simulatedMessage(method, .request, transaction, sealedBy: seal) { builder in
            appendAttributes(&builder)
            builder.appendUsername(signer)
            builder.appendRealm(TURNScenario.realm)
            builder.appendNonce(nonce ?? "")
        }
        unanswered = (bytes, transaction)
        sentRequests.append(bytes)
        if sentRequests.count > 6 { sentRequests.removeFirst() }
        return bytes
    }

    private mutating func allocate(
        _ setting: SimulatedWorld.Setting,
        _ tokens: [RelayOracle.Reservation],
        _ random: inout SeededGenerator
    ) -> [UInt8] {
        let lifetime: UInt32? = pick([nil, nil, 1, 700, 3600, .max], &random) ?? nil
        let own = tokens.last { $0.username == username }
        if let reservation = random.oneIn(4) ? own ?? tokens.last : nil {
            return request(.allocate, setting, &random) { builder in
                builder.appendRequestedTransport(.udp)
                builder.appendReservationToken(reservation.token)
            }
        }
        let isDual = random.oneIn(3)
        let family: IPAddress.Family? = isDual ? nil : pick([nil, .ipv4, .ipv6, .ipv6], &random) ?? nil
        let evenPort: EvenPort? = random.oneIn(4) ? EvenPort(reservesNextPort: !isDual && random.oneIn(2)) : nil
        return request(.allocate, setting, &random) { builder in
            builder.appendRequestedTransport(.udp)
            if let lifetime { builder.appendLifetime(seconds: lifetime) }
            if let family { builder.appendRequestedAddressFamily(family) }
            if isDual { builder.appendAdditionalAddressFamily(.ipv6) }
            if let evenPort { builder.appendEvenPort(evenPort) }
        }
    }

    private mutating func refresh(_ setting: SimulatedWorld.Setting, _ random: inout SeededGenerator) -> [UInt8] {
        let lifetime: UInt32? = pick([nil, nil, 0, 1, 900, 3600], &random) ?? nil
        let family: IPAddress.Family? = pick([nil, nil, nil, .ipv4, .ipv6], &random) ?? nil
        return request(.refresh, setting, &random) { builder in
            if let lifetime { builder.appendLifetime(seconds: lifetime) }
            if let family { builder.appendRequestedAddressFamily(family) }
        }
    }

    private mutating func release(_ setting: SimulatedWorld.Setting, _ random: inout SeededGenerator) -> [UInt8] {
        request(.refresh, setting, &random) { $0.appendLifetime(seconds: 0) }
    }

    private mutating func permit(
        _ setting: SimulatedWorld.Setting,
        _ peers: [Endpoint],
        _ random: inout SeededGenerator
    ) -> [UInt8] {
        let targets = (0..<Int.random(in: 1...3, using: &random)).map { _ in target(peers, &random) }
        permitted.append(contentsOf: targets)
        if permitted.count > 8 { permitted.removeFirst(permitted.count - 8) }
        return request(.createPermission, setting, &random) { builder in
            for target in targets { builder.appendXORAddress(.xorPeerAddress, target) }
        }
    }

    private mutating func bind(
        _ setting: SimulatedWorld.Setting,
        _ peers: [Endpoint],
        _ random: inout SeededGenerator
    ) -> [UInt8] {
        let number = UInt16(0x4000 + Int.random(in: 0..<5, using: &random))
        var peer = target(peers, &random)
        // Most of the time it binds again what it has bound.
        if let bound = channels[number], !random.oneIn(3) { peer = bound }
        channels[number] = peer
        return request(.channelBind, setting, &random) { builder in
            builder.appendChannelNumber(number)
            builder.appendXORAddress(.xorPeerAddress, peer)
        }
    }

    private mutating func asSomebodyElse(
        _ setting: SimulatedWorld.Setting,
        _ random: inout SeededGenerator
    ) -> [UInt8] {
        let own = username
        defer { username = own }
        username = pick(setting.users, &random)?.name ?? own
        return random.oneIn(2) ? refresh(setting, &random) : allocate(setting, [], &random)
    }

    // MARK: Data

    /// A peer of a family that it relays, most of the time.
    private func target(_ peers: [Endpoint], _ random: inout SeededGenerator) -> Endpoint {
        for _ in 0..<4 {
            guard let peer = pick(peers, &random) else { break }
            if random.oneIn(12) || relayed.contains(where: { $0.address.family == peer.address.family }) {
                return peer
            }
        }
        return peers[0]
    }

    private func data(_ peers: [Endpoint], _ random: inout SeededGenerator) -> [UInt8] {
        let payload = random.bytes(Int.random(in: 0...(random.oneIn(20) ? 1400 : 24), using: &random))
        if let (number, _) = channels.min(by: { $0.key < $1.key }), random.oneIn(2) {
            let chosen = random.oneIn(3) ? UInt16(0x4000 + Int.random(in: 0..<5, using: &random)) : number
            let padding = random.oneIn(2) ? [UInt8](repeating: 0, count: -payload.count & 3) : []
            return channelData(payload, chosen) + padding
        }
        let peer = random.oneIn(6) ? target(peers, &random) : pick(permitted, &random) ?? target(peers, &random)
        return simulatedMessage(.send, .indication, .random(using: &random)) { builder in
            builder.appendXORAddress(.xorPeerAddress, peer)
            builder.appendData(payload.span.rawBytes)
        }
    }
}

/// The bytes of a message of moderate size. (`stunMessage` has room for the largest, which costs a simulation too much.)
func simulatedMessage(
    _ method: MessageMethod,
    _ messageClass: MessageClass,
    _ transaction: TransactionID,
    sealedBy seal: IntegritySeal? = nil,
    _ body: (inout MessageBuilder) -> Void
) -> [UInt8] {
    var builder = MessageBuilder(capacity: 2048)
    builder.begin(MessageType(method, messageClass), transaction)
    body(&builder)
    guard let range = builder.finish(sealedBy: seal) else {
        preconditionFailure("a simulated message is longer than two kilobytes")
    }
    return builder.bytes(in: range).copied()
}
