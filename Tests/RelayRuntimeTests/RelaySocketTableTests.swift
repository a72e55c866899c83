import NetPrimitives
import PacketIO
import TURNRelay
import Testing

@testable import RelayRuntime

@Suite("The table of a shard's sockets")
struct RelaySocketTableTests {
    private let socketsInTest = 200

    private func lease(_ registry: inout AllocationRegistry) throws -> RelayLease {
        var random = SystemRandomNumberGenerator()
        let answer = registry.lease(
            "alice",
            .any(loopback),
            now: Instant(nanoseconds: 0),
            random: &random
        )
        guard case .leased(let lease) = answer else { throw TestFailure("no lease") }
        return lease
    }

    private func socket() throws -> UDPSocket { try UDPSocket(boundTo: Endpoint(address: loopback, port: 0)) }

    private func registry() -> AllocationRegistry {
        var limits = AllocationRegistry.Limits()
        limits.perUser = 0
        return AllocationRegistry(ports: 20_000...30_000, limits: limits)
    }

    private func expect(
        _ socket: SocketID,
        isFound: Bool,
        in table: borrowing RelaySocketTable,
        at location: SourceLocation = #_sourceLocation
    ) {
        let descriptor = table.descriptor(of: socket)
        #expect((descriptor != nil) == isFound, sourceLocation: location)
    }

    @Test("an identifier finds its socket until that is removed, and never the next one in its slot")
    func generations() throws {
        var registry = registry()
        var table = RelaySocketTable(listeners: [], relayLimit: 10)
        let first = table.insert(try socket(), lease: try lease(&registry))
        expect(first, isFound: true, in: table)
        let given = table.remove(first)
        #expect(given != nil)
        expect(first, isFound: false, in: table)
        let again = table.remove(first)
        #expect(again == nil)
        let second = table.insert(try socket(), lease: try lease(&registry))
        #expect(second.slot == first.slot)
        #expect(second != first)
        expect(first, isFound: false, in: table)
        expect(second, isFound: true, in: table)
        let relayCount = table.relayCount
        #expect(relayCount == 1)
    }

    @Test("the table grows, keeps every socket, and stops at its limit")
    func growth() throws {
        var registry = registry()
        var table = RelaySocketTable(listeners: [], relayLimit: socketsInTest)
        var identifiers: [SocketID] = []
        while table.hasRoom {
            identifiers.append(table.insert(try socket(), lease: try lease(&registry)))
        }
        #expect(identifiers.count == socketsInTest)
        var descriptors: Set<Int32> = []
        for identifier in identifiers {
            if let descriptor = table.descriptor(of: identifier) { descriptors.insert(descriptor) }
        }
        #expect(descriptors.count == socketsInTest)
        let lease = table.remove(identifiers[17])
        #expect(lease != nil)
        let hasRoom = table.hasRoom
        #expect(hasRoom)
    }

    @Test("identifiers that were never given out find nothing", arguments: [0, 63, 64, UInt32.max])
    func strangers(slot: UInt32) {
        let table = RelaySocketTable(listeners: [], relayLimit: 10)
        expect(SocketID(slot: slot, generation: 0), isFound: false, in: table)
        expect(SocketID(slot: slot, generation: 1), isFound: false, in: table)
    }

    @Test("a meter starts from zero with every allocation in its slot, however high the slot")
    func meters() {
        var meters = MeterTable()
        meters.open(5000, now: Instant(nanoseconds: 0))
        meters.countToPeer(5000, bytes: 100)
        meters.countToClient(5000, bytes: 7)
        meters.countToClient(70_000, bytes: 7)
        let traffic = meters.traffic(5000)
        #expect(traffic.bytesToPeers == 100 && traffic.datagramsToPeers == 1)
        #expect(traffic.bytesToClient == 7 && traffic.datagramsToClient == 1)
        meters.open(5000, now: Instant(nanoseconds: 0))
        #expect(meters.traffic(5000) == RelayTraffic())
        #expect(meters.traffic(70_000) == RelayTraffic())
    }
}
