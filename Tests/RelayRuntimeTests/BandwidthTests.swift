import NetPrimitives
import TURNRelay
import Testing

@testable import RelayRuntime

extension MeterTable {
    /// Spends what an IPv4 datagram takes that has `bytes` in all.
    fileprivate mutating func spend(datagram bytes: Int, of slot: UInt32, now: Instant) -> DropReason? {
        spend(bytes - 28, over: .ipv4, of: slot, now: now)
    }
}

@Suite("Bandwidth limits, in virtual time")
struct BandwidthTests {
    private func instant(milliseconds: UInt64) -> Instant {
        Instant(nanoseconds: 5_000_000_000 + milliseconds * 1_000_000)
    }

    @Test("an allocation relays a second's worth at once and then its rate, whatever others do")
    func perAllocation() {
        var limits = BandwidthLimits()
        limits.perAllocation = 100_000
        var meters = MeterTable(limits: limits)
        meters.open(1, now: instant(milliseconds: 0))
        meters.open(700, now: instant(milliseconds: 0))
        var relayed = 0
        for millisecond in 0..<10_000 as Range<UInt64> {
            let now = instant(milliseconds: millisecond)
            for _ in 0..<2 {
                switch meters.spend(datagram: 1000, of: 700, now: now) {
                case nil: relayed += 1000
                case .allocationBandwidth?: break
                case let other?: Issue.record("\(other)")
                }
            }
            if millisecond % 20 == 0 {
                #expect(meters.spend(datagram: 1000, of: 1, now: now) == nil, "50 kB/s is within the other's own limit")
            }
        }
        #expect(relayed == 100_000 + 999_000, "one burst and ten seconds' worth, in whole datagrams")
    }

    @Test("a slot that is given to another allocation begins with a full bucket")
    func reopened() {
        var limits = BandwidthLimits()
        limits.perAllocation = 20_000
        var meters = MeterTable(limits: limits)
        let now = instant(milliseconds: 0)
        meters.open(0, now: now)
        #expect(meters.spend(datagram: 20_000, of: 0, now: now) == nil)
        #expect(meters.spend(datagram: 28, of: 0, now: now) == .allocationBandwidth)
        meters.open(0, now: now)
        #expect(meters.spend(datagram: 20_000, of: 0, now: now) == nil)
    }

    @Test("a rate below a datagram's size lets a datagram through once in a while")
    func slow() {
        var limits = BandwidthLimits()
        limits.perAllocation = 100
        limits.total = 100
        var meters = MeterTable(limits: limits, budget: BandwidthBudget(bytesPerSecond: 100))
        meters.open(0, now: instant(milliseconds: 0))
        var relayed = 0
        for second in 0..<1000 as Range<UInt64>
        where meters.spend(datagram: 1200, of: 0, now: instant(milliseconds: second * 1000 + 400_000)) == nil {
            relayed += 1200
        }
        #expect(relayed <= Int(BandwidthLimits.smallestBurst) + 100_000)
        #expect(relayed >= 50_000)
    }

    @Test("the largest datagram that is taken in passes at the smallest rate, over either family")
    func largest() {
        var limits = BandwidthLimits()
        limits.perAllocation = 1
        limits.total = 1
        for family in [IPAddress.Family.ipv4, .ipv6] {
            var meters = MeterTable(limits: limits, budget: BandwidthBudget(bytesPerSecond: 1))
            let now = instant(milliseconds: 100_000_000)
            meters.open(0, now: now)
            #expect(meters.spend(RelayShard.Bounds.datagramBytes, over: family, of: 0, now: now) == nil)
        }
    }

    @Test(
        "an empty payload takes what its IP and UDP headers have, of its allocation and of the server",
        arguments: [(.ipv4, 28), (.ipv6, 48)] as [(IPAddress.Family, Int)]
    )
    func headers(family: IPAddress.Family, bytes: Int) {
        let now = instant(milliseconds: 100_000)
        var limits = BandwidthLimits()
        limits.perAllocation = 100_000
        var meters = MeterTable(limits: limits)
        meters.open(0, now: now)
        var relayed = 0
        while relayed < 100_000, meters.spend(0, over: family, of: 0, now: now) == nil { relayed += 1 }
        #expect(relayed == 100_000 / bytes)
        let budget = BandwidthBudget(bytesPerSecond: 100_000)
        var unlimited = MeterTable(budget: budget)
        relayed = 0
        while relayed < 100_000, unlimited.spend(0, over: family, of: 0, now: now) == nil { relayed += 1 }
        // A burst of whole chunks.
        #expect(relayed == 100_000 / Int(budget.chunk) * Int(budget.chunk) / bytes)
    }

    @Test("without limits nothing is refused")
    func unlimited() {
        var meters = MeterTable()
        let now = instant(milliseconds: 0)
        meters.open(0, now: now)
        for _ in 0..<100_000 { #expect(meters.spend(datagram: 65_535, of: 0, now: now) == nil) }
    }

    @Test(
        "what all shards relay together is the server's rate, exact within a chunk for each shard",
        arguments: [20_000, 1_000_000, 125_000_000]
    )
    func total(rate: Int) {
        let budget = BandwidthBudget(bytesPerSecond: rate)
        var first = MeterTable(budget: budget)
        var second = MeterTable(budget: budget)
        var third = MeterTable(budget: budget)
        let seconds = 20
        var relayed = 0
        // Every shard asks for twice the server's rate.
        let size = 1000
        let perMillisecond = max(1, rate * 2 / size / 1000)
        for millisecond in 0..<UInt64(seconds * 1000) {
            let now = instant(milliseconds: millisecond)
            for _ in 0..<perMillisecond {
                if first.spend(datagram: size, of: 0, now: now) == nil { relayed += size }
                if second.spend(datagram: size, of: 0, now: now) == nil { relayed += size }
                if third.spend(datagram: size, of: 0, now: now) == nil { relayed += size }
            }
        }
        let burst = max(rate, Int(budget.chunk))
        #expect(relayed <= burst + rate * seconds)
        #expect(relayed >= burst + rate * seconds - 4 * Int(budget.chunk) - rate / 500)
    }

    @Test("time that has passed unused is saved up for one burst, not more")
    func idle() {
        let budget = BandwidthBudget(bytesPerSecond: 1_000_000)
        let late = instant(milliseconds: 3_600_000)
        var drawn: UInt64 = 0
        while budget.drawChunk(now: late) { drawn += budget.chunk }
        #expect(drawn <= 1_000_000)
        #expect(drawn + budget.chunk > 1_000_000)
    }

    @Test("a payload that the server has no bandwidth for is not charged to its allocation")
    func bothOrNeither() {
        var limits = BandwidthLimits()
        limits.perAllocation = 1_000_000
        let budget = BandwidthBudget(bytesPerSecond: 20_000)
        var meters = MeterTable(limits: limits, budget: budget)
        let start = instant(milliseconds: 0)
        meters.open(0, now: start)
        var refused = 0
        for _ in 0..<2000 where meters.spend(datagram: 1000, of: 0, now: start) == .serverBandwidth { refused += 1 }
        #expect(refused >= 1979)
        // Had the refused ones been charged, the bucket would be empty by now.
        #expect(meters.spend(datagram: 1000, of: 0, now: instant(milliseconds: 1000)) == nil)
    }
}

@Suite("Bandwidth limits, on sockets")
struct BandwidthLoopbackTests {
    /// Bytes sent between two looks at the clock: few enough for a receive buffer.
    private static let burst = 40_000

    /// What datagrams over IPv4 take out of a limit.
    private func cost(_ payload: UInt64, in datagrams: UInt64) -> Double { Double(payload + 28 * datagrams) }

    /// What a rate allows in a time: one second's worth at once, then the rate.
    private func entitled(_ rate: Int, _ elapsed: Duration) -> Double { Double(rate) * (1 + elapsed / .seconds(1)) }

    @Test("a loud client is held to its rate while another of the same shard loses nothing")
    func loud() async throws {
        let rate = 200_000
        try await withRelay({ $0.bandwidth.perAllocation = rate }) { relay, server in
            let loud = try TestClient(of: server)
            let quiet = try TestClient(of: server, username: "bob", password: "builder")
            let sink = try TestSocket()
            let peer = try TestSocket()
            for client in [loud, quiet] { _ = try client.allocate() }
            try loud.bind(0x4000, to: sink.endpoint)
            try quiet.bind(0x4000, to: peer.endpoint)
            let payload = [UInt8](repeating: 7, count: 1000)
            let clock = ContinuousClock()
            let start = clock.now
            var quietReceived = 0
            var rounds = 0
            // For two seconds, and until the loud one has sent some times what it may, however slow this machine is.
            while clock.now - start < .seconds(2)
                || Double(rounds * Self.burst) < 3 * entitled(rate, clock.now - start)
            {
                for _ in 0..<Self.burst / 1000 { try loud.sendChannelData(0x4000, payload) }
                try quiet.sendChannelData(0x4000, [UInt8(rounds & 0xFF)])
                if try peer.receive() != nil { quietReceived += 1 }
                rounds += 1
                try await Task.sleep(for: .milliseconds(2))
            }
            // Counts are published behind the flush that the peers have seen.
            try await eventually("all are counted") {
                let counters = relay.counters()
                return Int(counters[.datagramsToPeers]) + Int(counters[.allocationBandwidth]) == rounds
                    * (1 + Self.burst / 1000)
            }
            let counters = relay.counters()
            let allowed = entitled(rate, clock.now - start)
            #expect(quietReceived == rounds)
            let loudDatagrams = counters[.datagramsToPeers] - UInt64(rounds)
            let loudCost = cost(counters[.bytesToPeers] - UInt64(rounds), in: loudDatagrams)
            #expect(loudCost <= allowed)
            #expect(
                loudCost > Double(rate - 1028),
                "the burst at least, in whole datagrams, however late this machine looks"
            )
            #expect(counters[.allocationBandwidth] > 0)
        }
    }

    @Test("bytes from peers count as well")
    func down() async throws {
        try await withRelay({ $0.bandwidth.perAllocation = 16_384 }) { relay, server in
            let client = try TestClient(of: server)
            let relayed = try client.allocate()
            let peer = try TestSocket()
            try client.bind(0x4000, to: peer.endpoint)
            for _ in 0..<40 { try peer.send([UInt8](repeating: 1, count: 1000), to: relayed) }
            try await eventually("all are heard, and relayed or not") {
                let counters = relay.counters()
                return counters[.datagramsToClients] + counters[.allocationBandwidth] == 40
            }
            #expect(relay.counters()[.allocationBandwidth] >= 1)
            // A burst of 16,432 bytes, in whole datagrams of 1,028 with their headers.
            #expect(relay.counters()[.datagramsToClients] >= 15)
        }
    }

    @Test("empty payloads are held to the rate by their headers, and no byte of them is counted as relayed")
    func empty() async throws {
        // Too slow to refill meanwhile, however long this machine takes for a round.
        let rate = 1
        try await withRelay({ $0.bandwidth.perAllocation = rate }) { relay, server in
            let client = try TestClient(of: server)
            let sink = try TestSocket()
            _ = try client.allocate()
            try client.bind(0x4000, to: sink.endpoint)
            let clock = ContinuousClock()
            let start = clock.now
            var sent = 0
            while relay.counters()[.allocationBandwidth] == 0, sent < 3_000 {
                for _ in 0..<300 { try client.sendChannelData(0x4000, []) }
                sent += 300
                try await eventually("all are counted") {
                    let counters = relay.counters()
                    return Int(counters[.datagramsToPeers] + counters[.allocationBandwidth]) == sent
                }
            }
            let counters = relay.counters()
            let refilled = Double(rate) * ((clock.now - start) / .seconds(1))
            #expect(counters[.allocationBandwidth] > 0)
            #expect(counters[.bytesToPeers] == 0)
            #expect(cost(0, in: counters[.datagramsToPeers]) <= Double(BandwidthLimits.smallestBurst) + refilled)
        }
    }

    @Test("the server's limit holds for all shards together")
    func total() async throws {
        let rate = 100_000
        try await withRelay(workers: 3, { $0.bandwidth.total = rate }) { relay, server in
            let sink = try TestSocket()
            var clients: [TestClient] = []
            for _ in 0..<6 {
                let client = try TestClient(of: server)
                _ = try client.allocate()
                try client.bind(0x4000, to: sink.endpoint)
                clients.append(client)
            }
            let clock = ContinuousClock()
            let start = clock.now
            var sent = 0
            while clock.now - start < .seconds(2) || Double(sent * 1000) < 3 * entitled(rate, clock.now - start) {
                for client in clients {
                    for _ in 0..<20 { try client.sendChannelData(0x4000, [UInt8](repeating: 7, count: 1000)) }
                    sent += 20
                }
                try await eventually("all are counted") {
                    let counters = relay.counters()
                    return Int(counters[.datagramsToPeers] + counters[.serverBandwidth]) == sent
                }
            }
            let counters = relay.counters()
            let relayed = cost(counters[.bytesToPeers], in: counters[.datagramsToPeers])
            #expect(relayed <= entitled(rate, clock.now - start))
            let chunk = Int(BandwidthBudget(bytesPerSecond: rate).chunk)
            #expect(
                relayed >= Double(rate - 4 * chunk),
                "the burst at least, but for a chunk that is not whole and what each shard has drawn and not spent"
            )
            #expect(counters[.serverBandwidth] > 0)
        }
    }
}
