import NetPrimitives
import STUNServer
import TestSupport
import Testing

@Suite("UnauthenticatedReplyBudget")
struct UnauthenticatedReplyBudgetTests {
    private func instant(_ seconds: UInt64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    @Test("ten seconds' worth at once, then its rate; every IPv4 address has its own")
    func rate() {
        var budget = UnauthenticatedReplyBudget(repliesPerSecond: 5, tableSeed: 1)
        let source = IPAddress(ipv4: 1)
        let burst = (0..<60).count { _ in budget.take(for: source, now: instant(0)) }
        #expect(burst == 50)
        let afterTwoSeconds = (0..<60).count { _ in budget.take(for: source, now: instant(2)) }
        #expect(afterTwoSeconds == 10)
        let neighbour = budget.take(for: IPAddress(ipv4: 2), now: instant(2))
        #expect(neighbour)
    }

    @Test("an IPv6 /64 is one source")
    func prefix() {
        var budget = UnauthenticatedReplyBudget(repliesPerSecond: 1, tableSeed: 1)
        let granted = (0..<30).count { budget.take(for: IPAddress(ipv6High: 7, low: UInt64($0)), now: instant(0)) }
        #expect(granted == 10)
        let next = budget.take(for: IPAddress(ipv6High: 8, low: 0), now: instant(0))
        #expect(next)
        let count = budget.sourceCount
        #expect(count == 2)
    }

    @Test("0 means no limit and no memory")
    func unlimited() {
        var budget = UnauthenticatedReplyBudget(repliesPerSecond: 0, tableSeed: 1)
        let granted = (0..<10_000).count { _ in budget.take(for: IPAddress(ipv4: 1), now: instant(0)) }
        let count = budget.sourceCount
        #expect(granted == 10_000)
        #expect(count == 0)
    }

    @Test("a flood from many sources stays within the table and does not free a source under attack")
    func flood() {
        var budget = UnauthenticatedReplyBudget(repliesPerSecond: 5, tableSeed: 1)
        let victim = IPAddress(ipv4: 0xFFFF_FFFF)
        var granted = 0
        var largest = 0
        for number in 0..<UInt32(4 * UnauthenticatedReplyBudget.maximumSources) {
            if budget.take(for: victim, now: instant(0)) { granted += 1 }
            _ = budget.take(for: IPAddress(ipv4: number), now: instant(0))
            largest = max(largest, budget.sourceCount)
        }
        #expect(granted == 50)
        #expect(largest == UnauthenticatedReplyBudget.maximumSources)
    }
}
