import NetPrimitives
import STUNCore
import STUNServer
import TestSupport

@testable import TURNRelay

/// Clients, peers, a network that loses, doubles and reorders, a clock that jumps, and a relay in the middle.
///
/// Everything follows from one seed. After every datagram the oracle is asked whether the relay may do what it did.
final class SimulatedWorld {
    enum Event {
        case wake(client: Int)
        case toServer(from: Endpoint, [UInt8])
        case toClient(Endpoint, [UInt8])
        case fromPeer(Endpoint, relayed: Endpoint, [UInt8])
        case peersSpeak
        case sweep
        case flush
        case jump
        case callEnds
    }

    let setting: Setting
    var random: SeededGenerator
    let relay: VirtualRelay
    var oracle: RelayOracle
    private(set) var now = Instant(nanoseconds: 3_600_000_000_000)
    private var queue = EventQueue<Event>()
    private var clients: [SimulatedClient] = []
    private var indexByEndpoint: [Endpoint: Int] = [:]
    private var peers: [Endpoint]
    /// Relayed addresses that were given out, the newest last: peers of other clients, and the targets of peers.
    private var knownRelays: [Endpoint] = []
    private var activeClients: Int
    /// How many actions are left when a drain begins.
    private let drainsBelow: Int
    private var remainingActions: Int
    private(set) var endedWithCallCount = 0
    private var datagrams = 0

    init(seed: UInt64, clients clientCount: Int, actionsPerClient: Int) throws {
        var random = SeededGenerator(seed: seed)
        let setting = try Setting(clients: clientCount, random: &random)
        self.setting = setting
        relay = VirtualRelay(setting, random: &random)
        oracle = RelayOracle(setting)
        peers = setting.peers
        activeClients = clientCount
        remainingActions = clientCount * actionsPerClient
        drainsBelow = remainingActions / Int.random(in: 3...12, using: &random)
        self.random = random
        for index in 0..<clientCount {
            let endpoint = setting.clientEndpoint(index)
            let client = SimulatedClient(
                endpoint: endpoint,
                habit: index % 100 == 99 ? .flooding : index % 20 == 19 ? .vandal : .plain,
                username: setting.users[index % setting.users.count].name,
                actions: actionsPerClient
            )
            clients.append(client)
            indexByEndpoint[endpoint] = index
            append(.wake(client: index), after: UInt64.random(in: 0...20_000, using: &self.random))
        }
        append(.sweep, after: 1000)
        append(.flush, after: 5)
        append(.peersSpeak, after: 2000)
        append(.jump, after: UInt64.random(in: 60_000...300_000, using: &self.random))
        append(.callEnds, after: UInt64.random(in: 60_000...120_000, using: &self.random))
    }

    /// Lets everything happen that happens while there are clients that act.
    func run() throws {
        while let (time, event) = queue.next() {
            // After a jump everything that was due meanwhile comes late, in its order.
            now = max(now, time)
            try happen(event)
        }
    }

    /// Waits until everything has expired, and sweeps.
    func expireAll() throws {
        now = now.advanced(bySeconds: 3601)
        for _ in 0..<400 { try check(relay.sweep(limit: 100, now: now)) }
        relay.flush(now: now)
    }

    /// Ends everything as a drain does, and waits until the reservations have ended, which are nobody's allocation.
    func closeAll() throws {
        let outcome = relay.closeAll(now: now)
        try claim(outcome.sent.isEmpty && outcome.expired.isEmpty, "the end of a drain is told, or is an expiry")
        relay.flush(now: now)
        now = now.advanced(bySeconds: 31)
    }

    var unixSeconds: UInt64 { 1_700_000_000 + now.nanoseconds / 1_000_000_000 }

    private func append(_ event: Event, after milliseconds: UInt64) {
        queue.append(event, at: Instant(nanoseconds: now.nanoseconds + milliseconds * 1_000_000))
    }

    private func happen(_ event: Event) throws {
        switch event {
        case .wake(let index): wake(index)
        case .toServer(let client, let bytes): try receive(bytes, from: client)
        case .toClient(let endpoint, let bytes):
            guard let index = indexByEndpoint[endpoint] else { break }
            clients[index].receive(bytes)
        case .fromPeer(let peer, let relayed, let bytes): try receive(bytes, fromPeer: peer, to: relayed)
        case .peersSpeak:
            for _ in 0..<20 { strangerSpeaks() }
            repeatWhileActive(.peersSpeak, after: 2000)
        case .sweep:
            try check(relay.sweep(limit: 40, now: now))
            repeatWhileActive(.sweep, after: UInt64.random(in: 1000...15_000, using: &random))
        case .flush:
            relay.flush(now: now)
            repeatWhileActive(.flush, after: UInt64.random(in: 1...2000, using: &random))
        case .callEnds:
            try endCall()
            repeatWhileActive(.callEnds, after: UInt64.random(in: 20_000...120_000, using: &random))
        case .jump:
            let jumps: [UInt32] = [3, 60, 299, 300, 301, 599, 600, 601, 1800, 3600, 7201, 40_000]
            now = now.advanced(bySeconds: jumps[Int.random(in: 0..<jumps.count, using: &random)])
            try checkBooks("after a jump")
            repeatWhileActive(.jump, after: UInt64.random(in: 60_000...400_000, using: &random))
        }
    }

    private func repeatWhileActive(_ event: Event, after milliseconds: UInt64) {
        if activeClients > 0 { append(event, after: milliseconds) }
    }

    private func wake(_ index: Int) {
        let ownRelays = knownRelays.suffix(4)
        for bytes in clients[index].act(setting, peers + ownRelays, oracle.tokens, &random) {
            transmit(.toServer(from: clients[index].endpoint, bytes))
        }
        remainingActions -= 1
        if remainingActions < drainsBelow, !relay.isDraining {
            relay.drain(to: setting.alternate)
            oracle.noteDrain()
        }
        guard clients[index].remainingActions > 0 else { return activeClients -= 1 }
        // Some are silent for so long that everything they had expires.
        let pause = random.oneIn(40) ? UInt64.random(in: 300_000...700_000, using: &random) : 0
        append(.wake(client: index), after: pause + UInt64.random(in: 100...50_000, using: &random))
    }

    /// One of the calls is over; whoever was in it may come back when its credentials are refused no more.
    private func endCall() throws {
        let calls = setting.calls
        let seconds: [UInt32] = [0, 60, 600, 3600]
        let call = EndedCall(
            callID: calls[Int.random(in: 0..<calls.count, using: &random)],
            credentialSeconds: seconds[Int.random(in: 0..<seconds.count, using: &random)]
        )
        let due = oracle.noteEnd(of: call, now: now)
        let outcome = relay.endCall(call, now: now)
        try check(outcome)
        try claim(outcome.sent.isEmpty, "the end of a call is told to clients")
        let ended = outcome.endedWithCall
        try claim(Set(ended) == due && ended.count == due.count, "with \(call.callID) ended \(ended), right was \(due)")
        endedWithCallCount += ended.count
    }

    /// The network: loses one in twenty, doubles one in thirty, and delays each as it likes.
    private func transmit(_ event: Event) {
        if random.oneIn(20) { return }
        for _ in 0..<(random.oneIn(30) ? 2 : 1) {
            let delay = random.oneIn(50) ? 30_000 : random.oneIn(4) ? 2000 : 80
            append(event, after: UInt64.random(in: 1...UInt64(delay), using: &random))
        }
    }

    /// A peer, permitted or not, sends to a relayed address that exists, or did.
    private func strangerSpeaks() {
        guard !knownRelays.isEmpty else { return }
        let relayed = knownRelays[Int.random(in: 0..<knownRelays.count, using: &random)]
        let peer = setting.peers[Int.random(in: 0..<setting.peers.count, using: &random)]
        transmit(.fromPeer(peer, relayed: relayed, random.bytes(Int.random(in: 0...40, using: &random))))
    }

    // MARK: What reaches the relay

    private func receive(_ bytes: [UInt8], from client: Endpoint) throws {
        datagrams += 1
        let expected = oracle.upward(bytes, from: client, now: now)
        if datagrams % 32 == 0 { try compareWithRecords(bytes, from: client) }
        let outcome = relay.receive(bytes, from: client, now: now, unixSeconds: unixSeconds)
        try check(outcome)
        switch outcome.verdict {
        case .forward(let forward):
            try check(forward, expected, bytes, from: client)
        case .drop(let reason):
            try claim(expected == nil, "\(client): a datagram to \(String(describing: expected)) dropped: \(reason)")
        case .control:
            try claim(expected == nil, "\(client): data was taken for control")
            try oracle.observe(bytes, from: client, outcome, now: now)
            try checkSilence(bytes, outcome)
            for sent in outcome.sent { transmit(.toClient(sent.destination, sent.bytes)) }
            note(outcome)
        }
        if datagrams % 4096 == 0 { try checkBooks("datagram \(datagrams)") }
    }

    private func check(
        _ forward: Forward,
        _ expected: RelayOracle.Upward?,
        _ bytes: [UInt8],
        from client: Endpoint
    ) throws(ClaimFailure) {
        let shard = relay.shards[relay.shardIndex(of: client)]
        let payload = Int(forward.payloadOffset)..<Int(forward.payloadOffset) + Int(forward.payloadCount)
        guard let lease = shard.leases[forward.socket] else {
            throw ClaimFailure(description: "\(client): relayed by a socket that is closed")
        }
        let actual = RelayOracle.Upward(
            relayed: setting.external(lease.endpoint),
            destination: forward.destination,
            payload: payload
        )
        try claim(actual == expected, "\(client): relayed \(actual), right was \(String(describing: expected))")
        try claim(forward.framing == .raw, "\(client): a peer got framed bytes")
        oracle.noteRelayed()
        // The peer may be another client's relayed address, and may answer.
        let destination = setting.external(forward.destination)
        if setting.ownAddresses.contains(destination.address) {
            transmit(.fromPeer(lease.endpoint, relayed: destination, Array(bytes[payload])))
        } else if random.oneIn(3) {
            transmit(.fromPeer(forward.destination, relayed: actual.relayed, Array(bytes[payload])))
        }
    }

    private func receive(_ bytes: [UInt8], fromPeer peer: Endpoint, to relayed: Endpoint) throws {
        let expected = oracle.downward(from: peer, to: relayed, now: now)
        guard let (index, socket) = relay.sockets[setting.bound(relayed)] else {
            return try claim(expected == nil, "\(relayed) has no socket, and an allocation")
        }
        let shard = relay.shards[index]
        let verdict = shard.turn.routePeer(byteCount: bytes.count, from: peer, on: socket, now: now)
        if random.oneIn(16) {
            let reference = shard.turn.referencePeer(bytes.count, from: peer, on: socket, now: now)
            try claim(verdict == reference, "\(peer) to \(relayed): \(verdict), by the records \(reference)")
        }
        guard case .forward(let forward) = verdict else {
            return try claim(
                expected == nil,
                "\(peer) to \(relayed): \(verdict), right was \(String(describing: expected))"
            )
        }
        guard let expected else {
            throw ClaimFailure(description: "\(peer) reached \(forward.destination) by \(relayed) without permission")
        }
        try claim(forward.destination == expected.client, "\(relayed) leaked to \(forward.destination)")
        try claim(forward.socket == VirtualRelay.listener, "a client got data from another socket than its own")
        let framing = expected.channel.map { Framing.channelData($0) } ?? .dataIndication(peer: expected.peer)
        try claim(forward.framing == framing, "\(peer) to \(relayed): \(forward.framing), right was \(framing)")
        try claim(Int(forward.payloadCount) == bytes.count && forward.payloadOffset == 0, "a payload was cut")
        oracle.noteRelayed()
    }

    /// A request is answered unless the relay says why not.
    private func checkSilence(_ bytes: [UInt8], _ outcome: VirtualRelay.Outcome) throws(ClaimFailure) {
        guard outcome.sent.isEmpty, let message = try? MessageView(parsing: bytes.span.rawBytes) else { return }
        guard message.type.messageClass == .request else { return }
        let isTold = outcome.events.contains { event in
            if case .dropped = event { true } else { false }
        }
        try claim(isTold, "a request of method \(message.type.method.rawValue) got neither answer nor reason")
    }

    private func note(_ outcome: VirtualRelay.Outcome) {
        for case .allocationOpened(_, _, let relayed, let additional, _) in outcome.events {
            knownRelays.append(relayed)
            if let additional { knownRelays.append(additional) }
            if knownRelays.count > 400 { knownRelays.removeFirst(100) }
        }
    }

    /// What was closed as expired has expired.
    private func check(_ outcome: VirtualRelay.Outcome) throws(ClaimFailure) {
        for client in outcome.expired {
            try claim(oracle.live(client, now: now) == nil, "the allocation of \(client) ended before its time")
        }
    }
}
