import NetPrimitives
import PacketIO
import Testing

/// Sends one datagram or fails the test.
func send(_ bytes: [UInt8], from socket: borrowing UDPSocket, to destination: Endpoint) throws {
    var batch = SendBatch(capacity: 1, arenaCapacity: 65536)
    let fitted = append(
        bytes,
        to: &batch,
        from: SocketID(slot: 0, generation: 0),
        descriptor: socket.descriptor.rawValue,
        destination: destination
    )
    try #require(fitted)
    try #require(batch.flush().sent == 1)
}

/// Adds a copied datagram to a batch; false if it does not fit.
func append(
    _ bytes: [UInt8],
    to batch: inout SendBatch,
    from socket: SocketID,
    descriptor: Int32,
    destination: Endpoint
) -> Bool {
    let span = bytes.span
    // SAFETY: every byte of an array of bytes is initialised.
    return unsafe batch.append(copying: span.bytes, from: socket, descriptor: descriptor, to: destination)
}

/// The datagrams that wait at a socket. Loopback delivers before the sender's call returns, so nothing is waited for.
func received(by socket: borrowing UDPSocket) throws -> [[UInt8]] {
    var ring = PacketRing(slotCount: 64, slotCapacity: 2048)
    var receiver = DatagramReceiver(capacity: 64)
    let (count, _) = receiver.receive(from: socket.descriptor.rawValue, limit: 64, into: &ring)
    return (0..<count).map { contents(of: receiver.datagram(at: $0), in: ring) }
}

/// A copy of a received datagram.
func contents(of datagram: ReceivedDatagram, in ring: borrowing PacketRing) -> [UInt8] {
    let bytes = ring.bytes(of: datagram)
    // SAFETY: the offsets are those of the span.
    return (0..<bytes.byteCount).map { unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
}
