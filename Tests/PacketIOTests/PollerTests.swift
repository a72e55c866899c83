import NetPrimitives
import PacketIO
import Synchronization
import Testing

@Suite("Poller")
struct PollerTests {
    @Test("reports a readable socket by the identifier it was added with, until it is read")
    func levelTriggered() throws {
        let socket = try UDPSocket(boundTo: UDPSocketTests.loopback)
        let identifier = SocketID(slot: 7, generation: 0xFFFF_FFFF)
        var poller = try Poller(capacity: 8)
        try poller.add(socket.descriptor.rawValue, as: identifier)
        #expect(try poller.wait(timeoutMilliseconds: 0) == 0)
        try send([1, 2, 3], from: socket, to: socket.endpoint)
        for _ in 0..<2 {
            #expect(try poller.wait(timeoutMilliseconds: 1000) == 1)
            #expect(poller.ready(at: 0) == identifier)
        }
        socket.discardWaiting(limit: 1)
        #expect(try poller.wait(timeoutMilliseconds: 0) == 0)
    }

    @Test("a wakeup rung from another thread ends the wait, and is silent once cleared")
    func wakeup() throws {
        let bell = try Wakeup()
        var poller = try Poller(capacity: 1)
        try poller.add(bell.descriptor.rawValue, as: SocketID(slot: 0, generation: 0))
        bell.signal()
        bell.signal()
        #expect(try poller.wait(timeoutMilliseconds: 1000) == 1)
        bell.clear()
        #expect(try poller.wait(timeoutMilliseconds: 0) == 0)
    }

    @Test("a closed socket is reported no more")
    func closedSocket() throws {
        var poller = try Poller(capacity: 4)
        do {
            let socket = try UDPSocket(boundTo: UDPSocketTests.loopback)
            try poller.add(socket.descriptor.rawValue, as: SocketID(slot: 1, generation: 0))
            try send([1], from: socket, to: socket.endpoint)
            #expect(try poller.wait(timeoutMilliseconds: 1000) == 1)
        }
        #expect(try poller.wait(timeoutMilliseconds: 0) == 0)
    }

    @Test("a pinned thread runs its body under the name it was given")
    func thread() async throws {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            #expect(throws: Never.self) {
                try PinnedThread.start(name: "packet-test", processor: 1000) { done.resume() }
            }
        }
        #expect(PinnedThread.allowedProcessorCount >= 1)
    }
}
