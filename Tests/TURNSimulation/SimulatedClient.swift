import NetPrimitives

/// One of the simulated clients: everything about it follows from its number, so that a million of them take no memory
/// beside the relay's own.
struct SimulatedClient: BitwiseCopyable {
    /// Clients whose relayed addresses share one IP address: half of its ports, so that the number's lower bits are a port.
    static let perRelayAddress = 32_768
    /// The channel that every client binds.
    static let channel: UInt16 = 0x4001
    /// What clients and peers send: voice.
    static let payloadByteCount = 160

    let number: UInt32

    /// How it reaches the relay: from an address of its own, by the listener whose relay address has room for it.
    var flow: Flow {
        Flow(
            client: Endpoint(
                address: IPAddress(ipv4: 0x1000_0000 &+ number),
                port: 40_000 &+ UInt16(truncatingIfNeeded: number & 0x1FFF)
            ),
            socket: Self.listener(Int(number >> 15)),
            transport: .udp
        )
    }

    /// Whom it talks to: nobody else does.
    var peer: Endpoint {
        Endpoint(
            address: IPAddress(ipv4: 0x2000_0000 &+ number),
            port: 50_000 &+ UInt16(truncatingIfNeeded: number & 0x1FFF)
        )
    }

    /// The relay socket that a shell would have opened for it.
    var relaySocket: SocketID { SocketID(slot: number, generation: 1) }

    /// Where that socket is bound.
    var relayEndpoint: Endpoint {
        Endpoint(
            address: Self.relayAddress(Int(number >> 15)),
            port: 0x8000 | UInt16(truncatingIfNeeded: number & 0x7FFF)
        )
    }

    /// The same from every client, since channels of different clients may have the same number.
    static var channelData: [UInt8] {
        let header = [UInt8(channel >> 8), UInt8(channel & 0xFF), 0, UInt8(payloadByteCount)]
        return header + [UInt8](repeating: 0xAA, count: payloadByteCount)
    }

    /// The listening sockets, each with a relay address of its own.
    static func listener(_ index: Int) -> SocketID {
        SocketID(slot: UInt32(truncatingIfNeeded: index), generation: 0)
    }

    static func relayAddress(_ index: Int) -> IPAddress {
        IPAddress(ipv4: 0x3000_0000 &+ UInt32(truncatingIfNeeded: index))
    }
}
