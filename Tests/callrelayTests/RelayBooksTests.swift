import CallModel
import CallStore
import RelayRuntime
import TURNRelay
import Testing

@testable import callrelay

@Suite("Books of relay use")
struct RelayBooksTests {
    private func allocation(_ slot: UInt32, generation: UInt32 = 0) -> RelayAllocation {
        RelayAllocation(shard: 1, id: AllocationID(slot: slot, generation: generation))
    }

    private func traffic(_ sent: UInt64, _ received: UInt64) -> RelayTraffic {
        var traffic = RelayTraffic()
        traffic.bytesToPeers = sent
        traffic.bytesToClient = received
        return traffic
    }

    private let alice: RelayLedger.Owner
    private let bob: RelayLedger.Owner

    init() {
        var generator = SystemRandomNumberGenerator()
        let call = CallID.random(using: &generator)
        alice = RelayLedger.Owner(call: call, user: "@alice:hs")
        bob = RelayLedger.Owner(call: call, user: "@bob:hs")
    }

    private func uses(_ ledger: inout RelayLedger) -> [UserID: RelayUse] {
        Dictionary(uniqueKeysWithValues: ledger.takeUnwritten().map { ($0.userID, $0.use) })
    }

    @Test("what an allocation relayed is counted once, in as many reports as it comes")
    func increments() {
        var ledger = RelayLedger()
        ledger.opened(allocation(1), by: alice, isAudited: true)
        ledger.opened(allocation(2), by: bob, isAudited: false)
        ledger.relayed(traffic(10, 1), by: allocation(1))
        ledger.relayed(traffic(30, 2), by: allocation(1))
        #expect(uses(&ledger) == ["@alice:hs": RelayUse(bytesSent: 30, bytesReceived: 2)])
        #expect(uses(&ledger).isEmpty)
        #expect(ledger.closed(allocation(1), by: alice, traffic(35, 2)) == true)
        #expect(ledger.closed(allocation(2), by: bob, traffic(0, 9)) == false)
        #expect(
            uses(&ledger) == [
                "@alice:hs": RelayUse(bytesSent: 5, bytesReceived: 0),
                "@bob:hs": RelayUse(bytesSent: 0, bytesReceived: 9),
            ]
        )
        #expect(ledger.liveCount == 0)
    }

    @Test("two allocations of one user add up")
    func several() {
        var ledger = RelayLedger()
        ledger.opened(allocation(1), by: alice, isAudited: true)
        ledger.opened(allocation(2), by: alice, isAudited: true)
        ledger.relayed(traffic(1, 0), by: allocation(1))
        ledger.relayed(traffic(2, 0), by: allocation(2))
        #expect(uses(&ledger) == ["@alice:hs": RelayUse(bytesSent: 3, bytesReceived: 0)])
    }

    @Test("the end of an allocation whose beginning was lost counts all of it; its place does not leak")
    func lostNotices() {
        var ledger = RelayLedger()
        #expect(ledger.closed(allocation(1), by: alice, traffic(7, 0)) == false)
        #expect(uses(&ledger) == ["@alice:hs": RelayUse(bytesSent: 7, bytesReceived: 0)])
        ledger.opened(allocation(2), by: alice, isAudited: true)
        ledger.opened(allocation(2, generation: 1), by: bob, isAudited: true)
        ledger.relayed(traffic(99, 0), by: allocation(2))
        ledger.relayed(traffic(4, 0), by: allocation(2, generation: 1))
        #expect(uses(&ledger) == ["@bob:hs": RelayUse(bytesSent: 4, bytesReceived: 0)])
        #expect(ledger.liveCount == 1)
    }

    @Test("what could not be written waits and is joined by what comes")
    func putBack() {
        var ledger = RelayLedger()
        ledger.opened(allocation(1), by: alice, isAudited: true)
        ledger.relayed(traffic(10, 0), by: allocation(1))
        ledger.putBack(ledger.takeUnwritten())
        ledger.relayed(traffic(15, 0), by: allocation(1))
        #expect(uses(&ledger) == ["@alice:hs": RelayUse(bytesSent: 15, bytesReceived: 0)])
    }

    @Test("a full queue loses notices, counts them, and ends after what it holds")
    func queue() async {
        let queue = RelayNoticeQueue(limit: 2)
        for slot in 0..<5 as Range<UInt32> {
            queue.send(.allocationTraffic(allocation(slot), traffic: RelayTraffic()))
        }
        queue.finish()
        #expect(queue.takeLost() == 3)
        #expect(queue.takeLost() == 0)
        var count = 0
        for await _ in queue.items { count += 1 }
        #expect(count == 2)
    }

    @Test("after a restart calls are refused for what is left of their credentials' time")
    func restored() {
        let now = Timestamp(milliseconds: 1_000_000_000)
        var generator = SystemRandomNumberGenerator()
        let endings = ([100, 60, 59, 0, -5] as [Int64]).map { secondsAgo in
            CallEnding(
                callID: .random(using: &generator),
                endedAt: now.advanced(byMilliseconds: -secondsAgo * 1_000)
            )
        }
        let ended = [EndedCall](endings, now: now, credentialSeconds: 60)
        #expect(ended.map(\.credentialSeconds) == [1, 60, 60])
        #expect(ended.map(\.callID) == endings[2...].map(\.callID.rawValue))
    }
}
