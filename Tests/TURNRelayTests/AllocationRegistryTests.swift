import NetPrimitives
import TestSupport
import Testing

@testable import TURNRelay

@Suite("AllocationRegistry")
struct AllocationRegistryTests {
    private let address = IPAddress(ipv4: 0xC000_0201)
    private let start = Instant(nanoseconds: 1_000_000_000)

    @Test("hands out every port once, then is out of capacity, then recovers fully")
    func exhaustion() throws {
        var random = SeededGenerator(seed: 1)
        var registry = AllocationRegistry(ports: 50_000...50_099)
        var leases: [RelayLease] = []
        for index in 0..<100 {
            let lease = try registry.leased("user\(index)", .any(address), now: start, random: &random)
            leases.append(lease)
        }
        #expect(Set(leases.map(\.endpoint.port)) == Set(50_000...50_099))
        #expect(registry.lease("late", .any(address), now: start, random: &random) == .capacity)
        #expect(registry.leaseCount(of: "late") == 0)
        for lease in leases { registry.release(lease, now: start) }
        #expect(registry.leaseCount == 0)
        for _ in 0..<100 { _ = try registry.leased("again", .any(address), now: start, random: &random) }
        #expect(registry.leaseCount == 100)
    }

    @Test("a freed port rests two minutes while others are free")
    func rest() throws {
        var random = SeededGenerator(seed: 2)
        var registry = AllocationRegistry(ports: 50_000...50_003)
        let first = try registry.leased("a", .any(address), now: start, random: &random)
        registry.release(first, now: start)
        let soon = start.advanced(bySeconds: 119)
        var others: [RelayLease] = []
        for _ in 0..<3 { others.append(try registry.leased("a", .any(address), now: soon, random: &random)) }
        #expect(!others.map(\.endpoint).contains(first.endpoint))
        let rested = try registry.leased("a", .any(address), now: soon, random: &random)
        #expect(rested.endpoint == first.endpoint, "with nothing else free a resting port serves")

        registry.release(rested, now: soon)
        for lease in others { registry.release(lease, now: soon.advanced(bySeconds: 60)) }
        let after = soon.advanced(bySeconds: 120)
        let woken = try registry.leased("a", .any(address), now: after, random: &random)
        #expect(woken.endpoint == first.endpoint, "only it has rested long enough")
    }

    @Test("an even port is even, and never taken from the odd ones")
    func parity() throws {
        var random = SeededGenerator(seed: 3)
        var registry = AllocationRegistry(ports: 50_001...50_008)
        for _ in 0..<4 {
            let lease = try registry.leased("a", .even(address), now: start, random: &random)
            #expect(lease.endpoint.port.isMultiple(of: 2))
        }
        #expect(registry.lease("a", .even(address), now: start, random: &random) == .capacity)
        _ = try registry.leased("a", .any(address), now: start, random: &random)
    }

    @Test("user quota and total quota are refused as quota and come back with the release")
    func quotas() throws {
        var random = SeededGenerator(seed: 4)
        var limits = AllocationRegistry.Limits()
        limits.perUser = 2
        limits.total = 3
        var registry = AllocationRegistry(ports: 50_000...50_099, limits: limits)
        let first = try registry.leased("alice", .any(address), now: start, random: &random)
        _ = try registry.leased("alice", .any(address), now: start, random: &random)
        #expect(registry.lease("alice", .any(address), now: start, random: &random) == .quota)
        let bob = try registry.leased("bob", .any(address), now: start, random: &random)
        #expect(registry.lease("carol", .any(address), now: start, random: &random) == .quota)
        registry.release(bob, now: start)
        #expect(registry.lease("alice", .any(address), now: start, random: &random) == .quota)
        registry.release(first, now: start)
        _ = try registry.leased("alice", .any(address), now: start, random: &random)
    }

    @Test("half of the range taken by another process makes no request fail", arguments: [2, 64, 2000] as [UInt16])
    func halfTaken(pairs: UInt16) throws {
        var random = SeededGenerator(seed: 5)
        let ports = 20_000...(20_000 + pairs * 2 - 1)
        var registry = AllocationRegistry(ports: ports, limits: .unlimited)
        var opened: Set<UInt16> = []
        for _ in 0..<pairs {
            let (lease, _) = registry.open("user", .any(address), now: start, random: &random) { $0 % 4 < 2 }
            opened.insert(try #require(lease).endpoint.port)
        }
        #expect(opened.count == Int(pairs))
        #expect(registry.open("user", .any(address), now: start, random: &random) { $0 % 4 < 2 }.lease == nil)
        #expect(registry.leaseCount == Int(pairs))
    }

    @Test("one free port among a thousand foreign ones is found within a few requests")
    func almostAllTaken() {
        var random = SeededGenerator(seed: 6)
        var registry = AllocationRegistry(ports: 30_000...30_999)
        var requests = 0
        var found: RelayLease?
        while found == nil, requests < 100 {
            requests += 1
            let (lease, draws) = registry.open("user", .any(address), now: start, random: &random) { $0 != 30_500 }
            #expect(draws.count == Set(draws).count, "a search draws no port twice")
            #expect(draws.count <= 64)
            found = lease
        }
        #expect(found?.endpoint.port == 30_500)
        #expect(requests <= 16, "1000 ports at 64 a request")
    }

    @Test("no port and no charge is ever lost or given twice, whatever happens")
    func randomHistories() {
        for seed: UInt64 in 1...200 {
            var random = SeededGenerator(seed: seed)
            var limits = AllocationRegistry.Limits.unlimited
            limits.perUser = Int.random(in: 0...5, using: &random)
            var registry = AllocationRegistry(ports: 40_000...40_030, limits: limits)
            var now = start
            var held: [RelayLease] = []
            for _ in 0..<200 {
                now = now.advanced(bySeconds: UInt32.random(in: 0...90, using: &random))
                if Bool.random(using: &random), !held.isEmpty {
                    registry.release(held.remove(at: Int.random(in: 0..<held.count, using: &random)), now: now)
                } else {
                    let foreign = UInt16.random(in: 1...7, using: &random)
                    let user = "user\(Int.random(in: 0..<9, using: &random))"
                    let opened = registry.open(user, .any(address), now: now, random: &random) { $0 % foreign == 1 }
                    if let lease = opened.lease { held.append(lease) }
                }
                #expect(registry.leaseCount == held.count, "seed \(seed)")
                #expect(Set(held.map(\.endpoint)).count == held.count, "seed \(seed)")
            }
            for lease in held { registry.release(lease, now: now) }
            #expect(registry.leaseCount == 0, "seed \(seed)")
            let all = (0...30).compactMap { user in
                registry.open("fresh\(user)", .any(address), now: now, random: &random) { _ in false }.lease
            }
            #expect(all.count == 31, "seed \(seed): every port is back")
        }
    }
}

extension AllocationRegistry.Limits {
    static var unlimited: Self {
        var limits = Self()
        limits.perUser = 0
        return limits
    }
}

extension AllocationRegistry {
    mutating func leased(
        _ user: String,
        _ wish: PortWish,
        now: Instant,
        random: inout SeededGenerator
    ) throws -> RelayLease {
        guard case .leased(let lease) = lease(user, wish, now: now, random: &random) else { throw NoLease() }
        return lease
    }

    /// Does what a shell does: binds, and asks for the next port where another process has it.
    mutating func open(
        _ user: String = "user",
        _ wish: PortWish,
        now: Instant,
        random: inout SeededGenerator,
        isTaken: (UInt16) -> Bool
    ) -> (lease: RelayLease?, draws: [UInt16]) {
        var answer = lease(user, wish, now: now, random: &random)
        var draws: [UInt16] = []
        while case .leased(let lease) = answer {
            draws.append(lease.endpoint.port)
            let next = lease.reservedEndpoint?.port
            guard isTaken(lease.endpoint.port) || next.map(isTaken) == true else { return (lease, draws) }
            answer = retry(lease, now: now, random: &random)
        }
        return (nil, draws)
    }
}

private struct NoLease: Error {}
