import NetPrimitives
import PacketIO
import Testing

@Suite("UDP sockets")
struct UDPSocketTests {
    static let loopback = Endpoint(address: IPAddress(ipv4: 0x7F00_0001), port: 0)

    @Test("a socket says which port it was given")
    func chosenPort() throws {
        let socket = try UDPSocket(boundTo: Self.loopback)
        #expect(socket.endpoint.address == Self.loopback.address)
        #expect(socket.endpoint.port != 0)
    }

    @Test("a port that is bound alone is refused to others, shared or not")
    func exclusivePort() throws {
        let first = try UDPSocket(boundTo: Self.loopback)
        for sharesPort in [false, true] {
            let failure = #expect(throws: SystemError.self) {
                _ = try UDPSocket(boundTo: first.endpoint, options: UDPSocketOptions(sharesPort: sharesPort))
            }
            #expect(failure?.isAddressInUse == true)
            #expect(failure?.operation == .bind)
        }
    }

    @Test("a socket bound alone can be opened to siblings, and a stranger who binds alone still fails")
    func openedToSiblings() throws {
        let first = try UDPSocket(boundTo: Self.loopback)
        try first.openToSiblings()
        let second = try UDPSocket(boundTo: first.endpoint, options: UDPSocketOptions(sharesPort: true))
        #expect(second.endpoint == first.endpoint)
        let failure = #expect(throws: SystemError.self) {
            _ = try UDPSocket(boundTo: first.endpoint)
        }
        #expect(failure?.isAddressInUse == true)
    }

    @Test("siblings share the senders among them, each sender staying with one")
    func siblingsShare() throws {
        let first = try UDPSocket(boundTo: Self.loopback)
        try first.openToSiblings()
        let second = try UDPSocket(boundTo: first.endpoint, options: UDPSocketOptions(sharesPort: true))
        let senders = 64
        for _ in 0..<senders {
            let sender = try UDPSocket(boundTo: Self.loopback)
            try send([1], from: sender, to: first.endpoint)
        }
        let counts = (first.discardWaiting(limit: 1000), second.discardWaiting(limit: 1000))
        #expect(counts.0 + counts.1 == senders)
        #expect(counts.0 > 0 && counts.1 > 0)
    }

    @Test("an address that is not this machine's is named as such")
    func foreignAddress() {
        let failure = #expect(throws: SystemError.self) {
            _ = try UDPSocket(boundTo: Endpoint(address: IPAddress(ipv4: 0xC633_6401), port: 0))
        }
        #expect(failure?.isAddressUnavailable == true)
        #expect(failure?.description.hasPrefix("bind: ") == true)
    }

    @Test("a socket says how much it may hold unread, which may be less than was asked for")
    func receiveBuffer() throws {
        let modest = try UDPSocket(boundTo: Self.loopback, options: UDPSocketOptions(receiveBufferBytes: 65_536))
        let all = modest.receiveBufferBytes
        #expect(all == 65_536)
        let greedy = try UDPSocket(boundTo: Self.loopback, options: UDPSocketOptions(receiveBufferBytes: 1 << 30))
        let granted = greedy.receiveBufferBytes ?? 0
        #expect(granted > 0 && granted < 1 << 30)
    }

    @Test("a descriptor is closed when its owner is gone")
    func closes() throws {
        let endpoint: Endpoint
        do {
            let socket = try UDPSocket(boundTo: Self.loopback)
            endpoint = socket.endpoint
        }
        // The port is free again only if the kernel's socket is gone.
        let again = try UDPSocket(boundTo: endpoint)
        #expect(again.endpoint == endpoint)
    }

    @Test("link-local addresses are not among the machine's, loopback is")
    func interfaces() throws {
        let addresses = try NetworkInterfaces.addresses()
        #expect(addresses.contains { $0.address == Self.loopback.address && $0.isLoopback })
        #expect(!addresses.contains { $0.address.family == .ipv6 && $0.address.high >> 48 == 0xFE80 })
    }
}
