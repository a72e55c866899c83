import NetPrimitives
import STUNCore
import STUNServer
import TestSupport

@testable import TURNRelay

extension RelayOracle {
    /// Whether an error may be given: each code says something about the world that the oracle knows too.
    mutating func judge(
        _ code: UInt16,
        _ reply: borrowing MessageView,
        _ message: borrowing MessageView,
        _ outcome: VirtualRelay.Outcome,
        from client: Endpoint,
        now: Instant
    ) throws(ClaimFailure) {
        let record = live(client, now: now)
        let method = message.type.method
        let username = message.text(.username)
        switch code {
        case 400 where reply.integrityAlgorithm == nil, 401, 438:
            try countChallenge(client, now: now)
        case 437 where method == .allocate:
            try claim(record != nil, "437 to an Allocate request, and \(client) has no allocation")
            let isRepetition = record?.transaction == message.transactionID && record?.username == username
            try claim(!isRepetition, "437 to a repeated Allocate request")
        case 437:
            try claim(record == nil, "437, and \(client) has an allocation")
        case 441:
            try claim(record != nil && record?.username != username, "441 to the one who made the allocation")
        case 300:
            try claim(method == .allocate && isDraining, "300 to method \(method.rawValue)")
            try claim(!isRefused(username, now: now), "\(client) is sent to another server for a call that is over")
            let isForFamily = client.address.family == .ipv4
            try claim(
                isForFamily && reply.alternateServers == [setting.alternate],
                "300 to nowhere, or to a wrong place"
            )
        case 403 where method == .allocate:
            try claim(isRefused(username, now: now), "403 to an Allocate request whose call goes on, if any")
            refusedCallCount += 1
        case 403:
            try claim(method == .createPermission || method == .channelBind, "403 to method \(method.rawValue)")
            let denied = peers(message).contains { peer in
                method == .channelBind ? !isOpen(peer) : !isOpen(peer.address)
            }
            try claim(denied, "403 for peers that the policy opens")
        case 443:
            try judgeFamilyMismatch(message, record)
        case 400:
            try claim(record != nil || method == .allocate, "400, sealed, and \(client) has no allocation")
        case 420:
            let unknown = reply.unknownAttributes
            try claim(!unknown.isEmpty, "420 that names no attribute")
            for type in unknown {
                let isThere = message.contains(type)
                try claim(isThere && !TURNShard.knownAttributes.contains(type), "420 for \(type)")
            }
        case 486:
            try claim(outcome.openings.last == .quota, "486, and no quota is used up")
        case 508:
            try claim(hasRunOut(message, record, outcome), "508 to method \(method.rawValue), and nothing has run out")
        default:
            throw ClaimFailure(description: "an error that nothing in this world causes: \(code)")
        }
    }

    private func judgeFamilyMismatch(_ message: borrowing MessageView, _ record: Record?) throws(ClaimFailure) {
        guard let record else { throw ClaimFailure(description: "443 without an allocation") }
        if message.type.method == .refresh {
            let family = message.requestedAddressFamily
            if case .family(let family) = family {
                try claim(record.relays[family] == nil, "443 for a family that is allocated")
            } else {
                try claim(family == .unknown, "443 to a Refresh request that names no family")
            }
        } else {
            let isForeign = peers(message).contains { record.relays[$0.address.family] == nil }
            try claim(isForeign, "443 for peers of a family that is allocated")
        }
    }

    /// Whether something is used up that a request asks for more of.
    private func hasRunOut(
        _ message: borrowing MessageView,
        _ record: Record?,
        _ outcome: VirtualRelay.Outcome
    ) -> Bool {
        let limits = setting.configuration.limits
        let method = message.type.method
        guard method != .allocate else {
            return outcome.openings.isEmpty ? outcome.isShardFull : outcome.openings.last == .capacity
        }
        guard let record else { return false }
        let peers = peers(message)
        let permissions = Set(record.permissions.keys).union(peers.map(\.address))
        let channels = Set(record.channels.keys).union(message.channelNumber.map { [$0] } ?? [])
        return peers.count > limits.peersPerRequest || permissions.count > limits.permissionsPerAllocation
            || method == .channelBind && channels.count > limits.channelsPerAllocation
    }

    private func peers(_ message: borrowing MessageView) -> [Endpoint] {
        var peers: [Endpoint] = []
        var reader = message.attributes
        while let attribute = reader.next() {
            guard attribute.type == .xorPeerAddress, let peer = message.xorAddress(attribute) else { continue }
            peers.append(peer)
        }
        return peers
    }

    /// Nobody gets more unproven answers than the budget: ten seconds' worth at once, and the rate from then on.
    private mutating func countChallenge(_ client: Endpoint, now: Instant) throws(ClaimFailure) {
        let rate = Double(setting.configuration.limits.unauthenticatedRepliesPerSecond)
        guard rate > 0 else { return }
        let source =
            client.address.family == .ipv6 ? IPAddress(ipv6High: client.address.high, low: 0) : client.address
        let shard = Int((client.address.low &* 31 &+ UInt64(client.port)) % UInt64(VirtualRelay.shardCount))
        let key = ChallengeKey(source: source, shard: shard)
        let previous = challenges[key] ?? (0, now)
        let elapsed = Double(now.nanoseconds - previous.at.nanoseconds) / 1e9
        let level = max(0, previous.level - elapsed * rate) + 1
        try claim(level <= rate * 10 + 1, "\(source) got \(level) unproven answers beyond its rate")
        challenges[key] = (level, now)
    }
}
