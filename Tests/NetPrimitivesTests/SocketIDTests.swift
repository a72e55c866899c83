import NetPrimitives
import Testing

@Suite("SocketID")
struct SocketIDTests {
    @Test("survives the trip through epoll's 64 bits")
    func roundTrip() {
        let identifier = SocketID(slot: 0xFFFF_FFFE, generation: 7)
        #expect(SocketID(rawValue: identifier.rawValue) == identifier)
    }

    @Test("an endpoint is small enough for the tables it is the key of")
    func endpointLayout() {
        #expect(MemoryLayout<Endpoint>.size == 20)
        #expect(MemoryLayout<Flow>.stride <= 40)
    }
}
