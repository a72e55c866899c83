import CPacketIO
import NetPrimitives
import PacketIO
import TURNBench

/// One client: its connected socket, and how far it is with the server.
final class ClientFlow {
    let number: UInt32
    let socket: UDPSocket
    /// With a TURN server; unused with the bare forwarder.
    var session: ClientSession
    /// Where its peer sends to.
    var relayed: Endpoint?
    /// When the request that waits for its answer was sent last, and how often.
    var lastSent = Instant(nanoseconds: 0)
    var tries = 0

    init(number: UInt32, bind: IPAddress, server: Endpoint, session: ClientSession, joins: Bool) throws {
        self.number = number
        self.session = session
        socket = try UDPSocket(
            boundTo: Endpoint(address: bind, port: 0),
            options: UDPSocketOptions(receiveBufferBytes: 1 << 20)
        )
        let descriptor = socket.descriptor.rawValue
        guard packet_connect(descriptor, server.coded).error == 0 else {
            throw BenchFailure("no way from \(bind) to \(server)")
        }
        if joins, packet_set_joining(descriptor).error != 0 { throw BenchFailure("this kernel has no UDP_GRO") }
    }

    /// Sends a control message; a lost one is sent again later.
    func send(_ bytes: [UInt8], now: Instant) {
        lastSent = now
        tries += 1
        // SAFETY: the bytes outlive the call. A refusal is a loss, and retransmission deals with that.
        let descriptor = socket.descriptor.rawValue
        _ = unsafe bytes.withUnsafeBytes { unsafe packet_send_connected(descriptor, $0.baseAddress, $0.count) }
    }
}

/// Why a run did not come about.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
