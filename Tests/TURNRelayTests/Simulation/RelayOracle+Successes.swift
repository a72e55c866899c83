import NetPrimitives
import STUNCore
import STUNServer
import TestSupport

@testable import TURNRelay

extension RelayOracle {
    /// Takes over what a success says, if it may be said.
    mutating func believe(
        _ message: borrowing MessageView,
        _ reply: borrowing MessageView,
        _ bytes: [UInt8],
        from client: Endpoint,
        now: Instant
    ) throws(ClaimFailure) {
        let method = message.type.method
        guard method != .binding else {
            let isRight = reply.xorAddress(.xorMappedAddress) == client
            return try claim(isRight, "Binding told \(client) another address")
        }
        let username = message.text(.username) ?? ""
        let key = setting.keys[username]
        let isProven = key.map { message.verifyIntegrity(.sha1, key: $0) } ?? false
        try claim(isProven, "success without proof of who \(username) is")
        let isSealed = key.map { reply.verifyIntegrity(.sha1, key: $0) } ?? false
        try claim(isSealed, "a success that is not sealed")
        if method == .allocate {
            return try believeAllocation(message, reply, bytes, username, from: client, now: now)
        }
        guard let record = live(client, now: now) else {
            throw ClaimFailure(description: "\(client) has no allocation and method \(method.rawValue) succeeded")
        }
        try claim(record.username == username, "\(username) changed the allocation of \(record.username)")
        switch method {
        case .refresh: try believeRefresh(message, reply, record, from: client, now: now)
        case .createPermission: try believePermissions(message, record, from: client, now: now)
        case .channelBind: try believeChannel(message, record, from: client, now: now)
        default: throw ClaimFailure(description: "success for method \(method.rawValue)")
        }
    }

    private mutating func believeAllocation(
        _ message: borrowing MessageView,
        _ reply: borrowing MessageView,
        _ bytes: [UInt8],
        _ username: String,
        from client: Endpoint,
        now: Instant
    ) throws(ClaimFailure) {
        if let record = live(client, now: now) {
            let isRepetition = record.transaction == message.transactionID && record.username == username
            try claim(isRepetition, "\(client) got a second allocation beside its first")
            // Of a dual allocation that has lost a half, the other is told.
            let isWhole = record.relays.count == record.relayedCount
            let isTold = Set(relayedAddresses(reply)) == Set(record.relays.values.map(\.endpoint))
            return try claim(
                isWhole ? record.answer == bytes : isTold,
                "the same Allocate request was answered twice differently"
            )
        }
        try claim(!isDraining, "a new allocation during a drain")
        try claim(!isRefused(username, now: now), "an allocation for a call that is over")
        let seconds = reply.lifetimeSeconds ?? 0
        try claim((600...3600).contains(seconds), "an allocation for \(seconds) s")
        let isMapped = reply.xorAddress(.xorMappedAddress) == client
        try claim(isMapped, "Allocate told \(client) another mapped address")
        let addresses = relayedAddresses(reply)
        var record = Record(
            username: username,
            transaction: message.transactionID,
            answer: bytes,
            relayedCount: addresses.count
        )
        for relayed in addresses {
            let family = relayed.address.family
            try claim(record.relays[family] == nil, "two relayed addresses of one family")
            try claim(owner(of: relayed, now: now) == nil, "\(relayed) was given to two clients")
            try claim(setting.ports.contains(relayed.port), "\(relayed) is out of the range")
            try checkReservation(message.reservationToken, relayed, username, now: now)
            if message.evenPort != nil { try claim(relayed.port.isMultiple(of: 2), "\(relayed) is not even") }
            record.relays[family] = Relay(endpoint: relayed, expires: now.advanced(bySeconds: seconds))
            clientByRelay[relayed] = client
        }
        try claim(!record.relays.isEmpty, "an allocation without a relayed address")
        if let token = reply.reservationToken, let first = record.relays.values.first?.endpoint {
            let next = Endpoint(address: first.address, port: first.port + 1)
            try claim(owner(of: next, now: now) == nil, "\(next) was reserved and is somebody's")
            tokens.append(
                Reservation(token: token, username: username, relayed: next, ends: now.advanced(bySeconds: 30))
            )
            // What has ended stays for a while, so that clients try it.
            tokens.removeAll { $0.ends.advanced(bySeconds: 60) <= now }
        }
        records[client] = record
        let count = records.values.reduce(0) { count, record in
            record.username == username ? count + record.relays.values.count { now < $0.expires } : count
        }
        let quota = setting.registryLimits.perUser
        try claim(quota == 0 || count <= quota, "\(username) has \(count) allocations of \(quota)")
    }

    private func relayedAddresses(_ reply: borrowing MessageView) -> [Endpoint] {
        var addresses: [Endpoint] = []
        var reader = reply.attributes
        while let attribute = reader.next() {
            guard attribute.type == .xorRelayedAddress, let relayed = reply.xorAddress(attribute) else { continue }
            addresses.append(relayed)
        }
        return addresses
    }

    /// A reserved port goes to who has its token, and to nobody else while it is reserved; a token leads to its port.
    private mutating func checkReservation(
        _ token: ReservationToken?,
        _ relayed: Endpoint,
        _ username: String,
        now: Instant
    ) throws(ClaimFailure) {
        if let token {
            guard let index = tokens.lastIndex(where: { $0.token == token && now < $0.ends }) else {
                throw ClaimFailure(description: "a token that was never given, or has ended, was redeemed")
            }
            let reservation = tokens.remove(at: index)
            try claim(reservation.relayed == relayed, "a token led to \(relayed) instead of \(reservation.relayed)")
            try claim(reservation.username == username, "\(username) redeemed a token of \(reservation.username)")
        } else {
            let holder = tokens.first { $0.relayed == relayed && now < $0.ends }
            try claim(holder == nil, "\(relayed) was reserved and given to somebody else")
        }
    }

    private mutating func believeRefresh(
        _ message: borrowing MessageView,
        _ reply: borrowing MessageView,
        _ record: Record,
        from client: Endpoint,
        now: Instant
    ) throws(ClaimFailure) {
        let seconds = reply.lifetimeSeconds ?? .max
        let isZero = message.lifetimeSeconds == 0
        try claim(isZero ? seconds == 0 : (600...3600).contains(seconds), "refreshed to \(seconds) s")
        var record = record
        let families: [IPAddress.Family]
        switch message.requestedAddressFamily {
        case .absent: families = Array(record.relays.keys)
        case .family(let family): families = [family]
        case .unknown, .malformed: throw ClaimFailure(description: "an unknown family was refreshed")
        }
        for family in families {
            try claim(record.relays[family] != nil, "a family was refreshed that \(client) does not have")
            if seconds == 0 {
                record.relays[family] = nil
            } else {
                record.relays[family]?.expires = now.advanced(bySeconds: seconds)
            }
        }
        records[client] = record.relays.isEmpty ? nil : record
    }

    private mutating func believePermissions(
        _ message: borrowing MessageView,
        _ record: Record,
        from client: Endpoint,
        now: Instant
    ) throws(ClaimFailure) {
        var record = record
        var count = 0
        var reader = message.attributes
        while let attribute = reader.next() {
            guard attribute.type == .xorPeerAddress else { continue }
            guard let peer = message.xorAddress(attribute) else {
                throw ClaimFailure(description: "a permission for an address that is none")
            }
            count += 1
            try claim(isOpen(peer.address), "a permission for \(peer), which the policy denies")
            try claim(record.relays[peer.address.family] != nil, "a permission for \(peer), of a family not relayed")
            record.permissions[peer.address] = now.advanced(bySeconds: 300)
        }
        try claim(count > 0, "a permission for nobody")
        let limit = setting.configuration.limits.permissionsPerAllocation
        try claim(record.permissions.count <= limit, "more permissions than the limit")
        records[client] = record
    }

    private mutating func believeChannel(
        _ message: borrowing MessageView,
        _ record: Record,
        from client: Endpoint,
        now: Instant
    ) throws(ClaimFailure) {
        guard let number = message.channelNumber, let peer = message.xorAddress(.xorPeerAddress) else {
            throw ClaimFailure(description: "half a channel was bound")
        }
        try claim((0x4000...0x4FFF).contains(number), "channel \(number) was bound")
        try claim(isOpen(peer), "a channel to \(peer), which the policy denies")
        try claim(record.relays[peer.address.family] != nil, "a channel to \(peer), of a family not relayed")
        for (other, channel) in record.channels {
            try claim((other == number) == (channel.peer == peer), "channel or peer is bound otherwise")
        }
        var record = record
        record.channels[number] = (peer, now.advanced(bySeconds: 600))
        record.permissions[peer.address] = now.advanced(bySeconds: 300)
        try claim(
            record.channels.count <= setting.configuration.limits.channelsPerAllocation,
            "more channels than the limit"
        )
        records[client] = record
    }
}
