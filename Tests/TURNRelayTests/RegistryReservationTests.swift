import NetPrimitives
import STUNCore
import TestSupport
import Testing

@testable import TURNRelay

@Suite("AllocationRegistry: pairs, reservations, both families")
struct RegistryReservationTests {
    private let ipv4 = IPAddress(ipv4: 0xC000_0201)
    private let ipv6 = IPAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 1)
    private let start = Instant(nanoseconds: 1_000_000_000)

    @Test("pairs are drawn until none is left, and all come back when the reservations have ended")
    func pairs() throws {
        var random = SeededGenerator(seed: 1)
        var registry = AllocationRegistry(ports: 50_000...50_019, limits: .unlimited)
        for round in 0..<50 {
            let now = start.advanced(bySeconds: UInt32(round) * 31)
            let leases = try (0..<10).map { _ in
                try registry.leased("a", .evenAndNext(ipv4), now: now, random: &random)
            }
            #expect(Set(leases.map(\.endpoint.port)) == Set(stride(from: 50_000, to: 50_020, by: 2)))
            #expect(registry.reservationCount == 10 && registry.leaseCount(of: "a") == 20)
            #expect(Set(leases.compactMap(\.reservation)).count == 10)
            #expect(registry.lease("a", .any(ipv4), now: now, random: &random) == .capacity)
            for lease in leases { registry.release(lease, now: now) }
            #expect(registry.leaseCount == 0 && registry.leaseCount(of: "a") == 10)
        }
    }

    @Test("a reserved port is nobody's but its token's, and free again when who redeemed it is gone")
    func redeemed() throws {
        var random = SeededGenerator(seed: 2)
        var registry = AllocationRegistry(ports: 50_000...50_001)
        let lease = try registry.leased("a", .evenAndNext(ipv4), now: start, random: &random)
        let next = try #require(lease.reservedEndpoint)
        #expect(registry.lease("b", .any(ipv4), now: start, random: &random) == .capacity)
        let token = try #require(lease.reservation)
        let redeemed = try registry.leased("a", .reserved(token), now: start, random: &random)
        #expect(redeemed.endpoint == next)
        #expect(registry.lease("b", .any(ipv4), now: start, random: &random) == .capacity)
        registry.release(redeemed, now: start)
        #expect(try registry.leased("b", .any(ipv4), now: start, random: &random).endpoint == next)
    }

    @Test("names that look alike have quotas and reservations of their own")
    func lookalike() throws {
        var random = SeededGenerator(seed: 7)
        var limits = AllocationRegistry.Limits.unlimited
        limits.perUser = 2
        var registry = AllocationRegistry(ports: 50_000...50_099, limits: limits)
        let (composed, decomposed) = ("name ren\u{E9}", "name rene\u{301}")
        let pair = try registry.leased(composed, .evenAndNext(ipv4), now: start, random: &random)
        #expect(registry.lease(composed, .any(ipv4), now: start, random: &random) == .quota)
        _ = try registry.leased(decomposed, .any(ipv4), now: start, random: &random)
        let token = try #require(pair.reservation)
        #expect(registry.lease(decomposed, .reserved(token), now: start, random: &random) == .capacity)
        _ = try registry.leased(composed, .reserved(token), now: start, random: &random)
    }

    @Test("no more reservations than the limit")
    func limit() throws {
        var random = SeededGenerator(seed: 3)
        var limits = AllocationRegistry.Limits.unlimited
        limits.reservations = 3
        var registry = AllocationRegistry(ports: 50_000...50_099, limits: limits)
        for _ in 0..<3 { _ = try registry.leased("a", .evenAndNext(ipv4), now: start, random: &random) }
        #expect(registry.lease("a", .evenAndNext(ipv4), now: start, random: &random) == .capacity)
        _ = try registry.leased("a", .even(ipv4), now: start, random: &random)
        let later = start.advanced(bySeconds: 30)
        _ = try registry.leased("a", .evenAndNext(ipv4), now: later, random: &random)
        #expect(registry.reservationCount == 1)
    }

    @Test("a pair whose sibling another process has is passed over; a redeemed port that is taken is 508")
    func takenSiblings() throws {
        var random = SeededGenerator(seed: 4)
        var registry = AllocationRegistry(ports: 50_000...50_199, limits: .unlimited)
        // Of a hundred pairs, three have a sibling that is free.
        let isTaken = { (port: UInt16) in !port.isMultiple(of: 2) && !(50_100...50_105).contains(port) }
        var leases: [RelayLease] = []
        for _ in 0..<10 {
            let opened = registry.open("a", .evenAndNext(ipv4), now: start, random: &random, isTaken: isTaken)
            #expect(Set(opened.draws).count == opened.draws.count, "a search draws no pair twice")
            if let lease = opened.lease { leases.append(lease) }
        }
        #expect(Set(leases.map(\.endpoint.port)) == [50_100, 50_102, 50_104])
        #expect(registry.leaseCount == 3 && registry.reservationCount == 3)
        let token = try #require(leases[0].reservation)
        let redeemed = registry.open("a", .reserved(token), now: start, random: &random) { _ in true }
        #expect(redeemed.lease == nil && redeemed.draws.count == 1)
        #expect(registry.leaseCount == 3 && registry.reservationCount == 2 && registry.leaseCount(of: "a") == 5)
    }

    @Test("a lease that could not be opened takes the reservation along that nobody was told of")
    func abandoned() throws {
        var random = SeededGenerator(seed: 5)
        var registry = AllocationRegistry(ports: 50_000...50_001)
        registry.abandon(try registry.leased("a", .evenAndNext(ipv4), now: start, random: &random), now: start)
        #expect(registry.reservationCount == 0 && registry.leaseCount(of: "a") == 0)
        _ = try registry.leased("a", .evenAndNext(ipv4), now: start, random: &random)
    }

    @Test("a user may have the next allocation when the last is gone, though its socket is still to be closed")
    func dischargedBeforeClosed() throws {
        var random = SeededGenerator(seed: 6)
        var limits = AllocationRegistry.Limits()
        limits.perUser = 1
        limits.total = 1
        var registry = AllocationRegistry(ports: 50_000...50_001, limits: limits)
        let first = try registry.leased("a", .any(ipv4), now: start, random: &random)
        #expect(registry.lease("a", .any(ipv4), now: start, random: &random) == .quota)
        registry.discharge(first)
        let second = try registry.leased("a", .any(ipv4), now: start, random: &random)
        #expect(second.endpoint != first.endpoint)
        registry.discharge(second)
        #expect(registry.lease("a", .any(ipv4), now: start, random: &random) == .capacity, "both ports are bound still")
        registry.vacate(first, now: start)
        let third = try registry.leased("a", .any(ipv4), now: start, random: &random)
        #expect(third.endpoint == first.endpoint && registry.leaseCount == 1)
    }

    @Test("no port, charge or reservation of either family is ever lost or given twice, whatever happens")
    func randomHistories() throws {
        for seed: UInt64 in 1...200 {
            var history = RegistryHistory(seed: seed)
            for _ in 0..<200 { history.step() }
            try history.end()
        }
    }
}

/// What a shell may do to a registry in any order, and what it must see.
private struct RegistryHistory {
    static let addresses = [IPAddress(ipv4: 0xC000_0201), IPAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 1)]

    let seed: UInt64
    var random: SeededGenerator
    var registry: AllocationRegistry
    let quota: Int
    var now = Instant(nanoseconds: 1_000_000_000)
    var held: [RelayLease] = []
    var closing: [RelayLease] = []
    var tokens: [(token: ReservationToken, endpoint: Endpoint, user: String, until: Instant)] = []

    init(seed: UInt64) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        var limits = AllocationRegistry.Limits.unlimited
        quota = Int.random(in: 0...6, using: &random)
        limits.perUser = quota
        limits.reservations = 5
        registry = AllocationRegistry(ports: 40_001...40_030, limits: limits)
    }

    mutating func step() {
        now = now.advanced(bySeconds: UInt32.random(in: 0...20, using: &random))
        let address = Self.addresses[Int.random(in: 0...1, using: &random)]
        let user = "user\(Int.random(in: 0..<6, using: &random))"
        switch Int.random(in: 0..<10, using: &random) {
        case 0...1: open(user, .any(address))
        case 2: open(user, .even(address))
        case 3...4: open(user, .evenAndNext(address))
        case 5: redeem(user)
        case 6...7: if !held.isEmpty { discharge(Int.random(in: 0..<held.count, using: &random)) }
        default:
            for lease in closing { registry.vacate(lease, now: now) }
            closing = []
        }
        check()
    }

    private mutating func open(_ user: String, _ wish: PortWish) {
        let foreign = UInt16.random(in: 2...9, using: &random)
        let opened = registry.open(user, wish, now: now, random: &random) { $0 % foreign == 1 }
        guard let lease = opened.lease else { return }
        held.append(lease)
        if let token = lease.reservation, let next = lease.reservedEndpoint {
            tokens.append((token, next, user, now.advanced(bySeconds: 30)))
        }
    }

    private mutating func redeem(_ user: String) {
        guard !tokens.isEmpty else { return }
        let index = Int.random(in: 0..<tokens.count, using: &random)
        let kept = tokens[index]
        let lease = registry.open(user, .reserved(kept.token), now: now, random: &random) { _ in false }.lease
        #expect((lease != nil) == (kept.user == user && now < kept.until), "seed \(seed)")
        guard let lease else { return }
        #expect(lease.endpoint == kept.endpoint, "seed \(seed)")
        tokens.remove(at: index)
        held.append(lease)
    }

    private mutating func discharge(_ index: Int) {
        let lease = held.remove(at: index)
        registry.discharge(lease)
        closing.append(lease)
    }

    private mutating func check() {
        // Whoever asks makes the registry end what is over.
        _ = registry.lease("nobody", .reserved(ReservationToken(bits: 0)), now: now, random: &random)
        tokens.removeAll { $0.until <= now }
        #expect(registry.leaseCount == held.count, "seed \(seed)")
        #expect(registry.reservationCount == tokens.count, "seed \(seed)")
        let endpoints = (held + closing).map(\.endpoint) + tokens.map(\.endpoint)
        #expect(Set(endpoints).count == endpoints.count, "seed \(seed): nothing is given twice")
        for user in (0..<6).map({ "user\($0)" }) {
            let count = held.count { $0.user == user } + tokens.count { $0.user == user }
            #expect(registry.leaseCount(of: user) == count, "seed \(seed)")
            #expect(quota == 0 || count <= quota, "seed \(seed)")
        }
    }

    /// Everything is given back, and every port of both families is to be had again.
    mutating func end() throws {
        for lease in held { registry.release(lease, now: now) }
        for lease in closing { registry.vacate(lease, now: now) }
        held = []
        closing = []
        now = now.advanced(bySeconds: 30)
        check()
        #expect(registry.leaseCount == 0 && registry.reservationCount == 0, "seed \(seed)")
        for address in Self.addresses {
            for index in 0..<30 {
                let user = "\(address) \(index)"
                let lease = registry.open(user, .any(address), now: now, random: &random) { _ in false }.lease
                #expect(lease != nil, "seed \(seed): every port is back")
            }
            #expect(registry.lease("late", .any(address), now: now, random: &random) == .capacity, "seed \(seed)")
        }
    }
}
