import NetPrimitives
import STUNCore
import STUNServer
import TestSupport

@testable import TURNRelay

/// What anybody can know of a relay who sees what goes in and what comes out, and has read RFC 8656.
///
/// Knows no table of the relay's: allocations, permissions and channels follow from the requests that were answered with
/// success, and their ends from the clock. Says of every datagram whether it must be relayed, and of every answer whether
/// it may be given.
struct RelayOracle {
    struct Relay {
        let endpoint: Endpoint
        var expires: Instant
    }

    /// One client's allocation.
    struct Record {
        let username: String
        let transaction: TransactionID
        /// The bytes of the answer to the Allocate request.
        let answer: [UInt8]
        /// How many relayed addresses it began with.
        let relayedCount: Int
        var relays: [IPAddress.Family: Relay] = [:]
        var permissions: [IPAddress: Instant] = [:]
        var channels: [UInt16: (peer: Endpoint, expires: Instant)] = [:]
    }

    /// A datagram on its way to a peer.
    struct Upward: Equatable {
        let relayed: Endpoint
        let destination: Endpoint
        let payload: Range<Int>
    }

    /// A datagram on its way to a client.
    struct Downward: Equatable {
        let client: Endpoint
        let peer: Endpoint
        let channel: UInt16?
    }

    /// A port that was promised to whoever of a user's clients comes with the token.
    struct Reservation {
        let token: ReservationToken
        let username: String
        let relayed: Endpoint
        /// Until when nobody else may have it (RFC 8656 §7.2: at least 30 s).
        let ends: Instant
    }

    struct ChallengeKey: Hashable {
        let source: IPAddress
        let shard: Int
    }

    let setting: SimulatedWorld.Setting
    var records: [Endpoint: Record] = [:]
    var clientByRelay: [Endpoint: Endpoint] = [:]
    /// Answers by code, zero for success: a simulation in which nothing succeeds proves nothing.
    private(set) var answers: [UInt16: Int] = [:]
    private(set) var relayedCount = 0
    var refusedCallCount = 0
    /// The reservations that live or ended less than a minute ago, but for those that were redeemed.
    var tokens: [Reservation] = []
    /// Until when credentials of a call that is over are refused.
    private(set) var refusedUntil: [String: Instant] = [:]
    /// Whether Allocate requests are sent on to another server.
    private(set) var isDraining = false
    /// How much of its budget of unproven answers a source has used in a shard.
    var challenges: [ChallengeKey: (level: Double, at: Instant)] = [:]

    init(_ setting: SimulatedWorld.Setting) { self.setting = setting }

    /// The allocation that a client has at `now`, without what has ended of it.
    func live(_ client: Endpoint, now: Instant) -> Record? {
        guard var record = records[client] else { return nil }
        record.relays = record.relays.filter { now < $0.value.expires }
        guard !record.relays.isEmpty else { return nil }
        record.permissions = record.permissions.filter { now < $0.value && record.relays[$0.key.family] != nil }
        record.channels = record.channels.filter {
            now < $0.value.expires && record.relays[$0.value.peer.address.family] != nil
        }
        return record
    }

    /// Whose relayed address this is at `now`.
    func owner(of relayed: Endpoint, now: Instant) -> (client: Endpoint, record: Record)? {
        guard let client = clientByRelay[relayed], let record = live(client, now: now),
            record.relays[relayed.address.family]?.endpoint == relayed
        else { return nil }
        return (client, record)
    }

    // MARK: Relaying

    /// What must become of a client's ChannelData or Send indication; nil if it must be discarded.
    func upward(_ bytes: [UInt8], from client: Endpoint, now: Instant) -> Upward? {
        guard let record = live(client, now: now), let first = bytes.first else { return nil }
        switch first {
        case 64...79: return channelData(bytes, record)
        case 0...3: return sendIndication(bytes, record)
        default: return nil
        }
    }

    private func channelData(_ bytes: [UInt8], _ record: Record) -> Upward? {
        guard bytes.count >= 4 else { return nil }
        let number = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
        let count = Int(bytes[2]) << 8 | Int(bytes[3])
        guard count <= bytes.count - 4, let peer = record.channels[number]?.peer, isOpen(peer),
            let relay = record.relays[peer.address.family]
        else { return nil }
        return Upward(relayed: relay.endpoint, destination: setting.bound(peer), payload: 4..<(4 + count))
    }

    private func sendIndication(_ bytes: [UInt8], _ record: Record) -> Upward? {
        guard let message = try? MessageView(parsing: bytes.span.rawBytes),
            message.type == MessageType(.send, .indication)
        else { return nil }
        var reader = message.attributes
        while let attribute = reader.next() {
            let isKnown = TURNShard.knownAttributes.contains(attribute.type)
            guard isKnown || !attribute.type.isComprehensionRequired else { return nil }
        }
        guard message.dontFragment || !message.contains(.dontFragment) else { return nil }
        guard let peer = message.xorAddress(.xorPeerAddress), peer.port != 0, let data = message.dataRange,
            record.permissions[peer.address] != nil, let relay = record.relays[peer.address.family],
            isOpen(peer)
        else { return nil }
        return Upward(relayed: relay.endpoint, destination: setting.bound(peer), payload: data)
    }

    /// What must become of a peer's datagram; nil if it must be discarded.
    func downward(from source: Endpoint, to relayed: Endpoint, now: Instant) -> Downward? {
        // Behind a NAT the relays of this server know each other by the address that the outside sees.
        let peer = setting.liveRelays.isLive(source) ? setting.external(source) : source
        guard peer.address.family == relayed.address.family, let (client, record) = owner(of: relayed, now: now),
            record.permissions[peer.address] != nil,
            isOpen(peer)
        else { return nil }
        let channel = record.channels.first { $0.value.peer == peer }
        return Downward(client: client, peer: peer, channel: channel?.key)
    }

    mutating func noteRelayed() { relayedCount += 1 }

    mutating func noteDrain() { isDraining = true }

    /// A call is over: answers whose allocations must end with it.
    mutating func noteEnd(of call: EndedCall, now: Instant) -> Set<Endpoint> {
        let end = now.advanced(bySeconds: call.credentialSeconds)
        refusedUntil[call.callID] = max(refusedUntil[call.callID] ?? end, end)
        let ended = records.keys.filter { client in
            live(client, now: now).map { setting.callByUsername[$0.username] == call.callID } ?? false
        }
        for client in ended { records[client] = nil }
        return Set(ended)
    }

    /// Whether a user's credential names a call that is over.
    func isRefused(_ username: String?, now: Instant) -> Bool {
        guard let call = username.flatMap({ setting.callByUsername[$0] }), let end = refusedUntil[call] else {
            return false
        }
        return now < end
    }

    /// Whether the policy opens a peer at this moment: of our own addresses, the ports where a relay lives.
    func isOpen(_ peer: Endpoint) -> Bool {
        guard setting.ownAddresses.contains(peer.address) else { return isOpen(peer.address) }
        return setting.liveRelays.isLive(setting.bound(peer))
    }

    func isOpen(_ address: IPAddress) -> Bool {
        setting.openPrefixes.contains { $0.contains(address) } || setting.ownAddresses.contains(address)
    }

    // MARK: Requests and answers

    /// Judges the answer to a request and believes what it says.
    mutating func observe(
        _ request: [UInt8],
        from client: Endpoint,
        _ outcome: VirtualRelay.Outcome,
        now: Instant
    ) throws(ClaimFailure) {
        guard let sent = outcome.sent.first else { return }
        try claim(outcome.sent.count == 1, "a request got \(outcome.sent.count) answers")
        try claim(sent.destination == client, "an answer to \(client) went to \(sent.destination)")
        try claim(sent.socket == VirtualRelay.listener, "an answer left from another socket than the one asked")
        guard let message = try? MessageView(parsing: request.span.rawBytes),
            let reply = try? MessageView(parsing: sent.bytes.span.rawBytes)
        else { throw ClaimFailure(description: "an answer to or with something that is no message") }
        let isRequest = message.type.messageClass == .request
        try claim(isRequest, "an answer to something that is no request: \(message.type)")
        try claim(reply.transactionID == message.transactionID, "an answer with another transaction ID")
        try claim(reply.type.method == message.type.method, "an answer with another method")
        let code = reply.errorCode?.rawValue ?? 0
        answers[code, default: 0] += 1
        try checkOpenings(outcome, code, hasAddressError: reply.addressErrorCode != nil)
        switch reply.type.messageClass {
        case .success: try believe(message, reply, sent.bytes, from: client, now: now)
        case .error: try judge(code, reply, message, outcome, from: client, now: now)
        case .request, .indication: throw ClaimFailure(description: "an answer that is none")
        }
    }

    /// What became of the sockets that a request asked for leads to one answer and to no other.
    private func checkOpenings(
        _ outcome: VirtualRelay.Outcome,
        _ code: UInt16,
        hasAddressError: Bool
    ) throws(ClaimFailure) {
        let openings = outcome.openings
        guard let last = openings.last else { return }
        guard outcome.openedCount > 0 else {
            return try claim(code == (last == .quota ? 486 : 508), "\(code), and the sockets were \(openings)")
        }
        let isPartial = outcome.openedCount < openings.count
        try claim(code == 0 && hasAddressError == isPartial, "\(code), and the sockets were \(openings)")
    }
}
