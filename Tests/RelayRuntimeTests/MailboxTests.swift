import PacketIO
import TURNRelay
import Testing

@testable import RelayRuntime

@Suite("Orders to shards")
struct MailboxTests {
    @Test("calls are handed over in order and in parts, and the list is bounded")
    func bounded() throws {
        let mailbox = try Mailbox()
        for number in 0..<Mailbox.callLimit {
            #expect(mailbox.endCall(EndedCall(callID: "\(number)", credentialSeconds: 1)))
        }
        #expect(!mailbox.endCall(EndedCall(callID: "more", credentialSeconds: 1)))
        var next = 0
        for _ in 0..<2 {
            let calls = mailbox.collect().endedCalls
            #expect(calls.count == Mailbox.callsPerPass)
            for call in calls {
                #expect(call.callID == "\(next)")
                next += 1
            }
        }
        #expect(mailbox.endCall(EndedCall(callID: "more", credentialSeconds: 1)))
    }

    @Test("the bell rings on until the last of many ended calls is taken, some in each pass and in their order")
    func manyCalls() throws {
        let mailbox = try Mailbox()
        var poller = try Poller(capacity: 1)
        try poller.add(mailbox.wakeup.descriptor.rawValue, as: RelayShard.bell)
        #expect(try poller.wait(timeoutMilliseconds: 0) == 0)
        let names = (0..<2 * Mailbox.callsPerPass + 1).map { "call\($0)" }
        for name in names { #expect(mailbox.endCall(EndedCall(callID: name, credentialSeconds: 60))) }
        var taken: [String] = []
        for count in [Mailbox.callsPerPass, Mailbox.callsPerPass, 1] {
            #expect(try poller.wait(timeoutMilliseconds: 0) == 1, "after \(taken.count) calls")
            let calls = mailbox.collect().endedCalls
            #expect(calls.count == count)
            taken += calls.map(\.callID)
        }
        #expect(try poller.wait(timeoutMilliseconds: 0) == 0)
        #expect(taken == names)
    }

    @Test("of two orders to drain the earlier deadline counts")
    func drain() throws {
        let mailbox = try Mailbox()
        mailbox.drain(deadlineNanoseconds: 7, alternates: AlternateServers())
        mailbox.drain(deadlineNanoseconds: 9, alternates: AlternateServers())
        #expect(mailbox.collect().drain?.deadlineNanoseconds == 7)
        #expect(mailbox.collect().drain == nil)
    }
}
