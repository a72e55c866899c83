import Glibc
import NetPrimitives
import PacketIO
import Synchronization
import Testing

@testable import RelayRuntime

@Suite("More in one pass than a batch holds")
struct FullBatchTests {
    /// Holds a shard's thread from an allocation of "bob" on until it is opened.
    private final class Gate: Sendable {
        private let isReached = Atomic(false)
        private let isOpen = Atomic(false)

        var hasShard: Bool { isReached.load(ordering: .acquiring) }

        func open() { isOpen.store(true, ordering: .releasing) }

        func hold(_ notice: RelayNotice) {
            guard case .allocationOpened(_, "bob", _, _, _) = notice else { return }
            isReached.store(true, ordering: .releasing)
            while !isOpen.load(ordering: .acquiring) { usleep(1000) }
        }
    }

    @Test("all datagrams arrive, in order and unharmed", arguments: [1, 7, 64])
    func everythingArrives(capacity: Int) async throws {
        let gate = Gate()
        // More than two calls' worth, so that slots are filled again within the pass.
        let count: UInt8 = 160
        try await withRelay({ $0.batchCapacity = capacity }, notify: { gate.hold($0) }) { relay, server in
            let alice = try TestClient(of: server)
            let peer = try TestSocket()
            _ = try alice.allocate()
            try alice.bind(0x4000, to: peer.endpoint)
            // Waits for its answer on a thread of its own; whether it came is seen by the allocation.
            try PinnedThread.start(name: "bob", processor: nil) {
                _ = try? TestClient(of: server, username: "bob", password: "builder").allocate()
            }
            defer { gate.open() }
            try await eventually("the shard is held") { gate.hasShard }
            for number in 0..<count {
                try alice.sendChannelData(0x4000, [UInt8](repeating: number, count: 200))
            }
            gate.open()
            for number in 0..<count {
                let (bytes, _) = try #require(try peer.receive())
                #expect(bytes == [UInt8](repeating: number, count: 200), "datagram \(number)")
            }
            try await eventually("all are counted") { relay.counters()[.datagramsToPeers] == UInt64(count) }
        }
    }

    @Test("listeners that may hold less than they ask for are warned of once, with the setting to change")
    func receiveBuffers() throws {
        #expect(Listener.warnings(granted: Listener.bufferBytes).isEmpty)
        let warnings = Listener.warnings(granted: 212_992)
        #expect(warnings.count == 1)
        #expect(warnings[0].contains("208 KiB") && warnings[0].contains("net.core.rmem_max=4194304"))
    }
}
