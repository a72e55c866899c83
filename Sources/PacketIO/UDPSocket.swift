import CPacketIO
import Glibc
public import NetPrimitives

/// How a socket is to be set up before it is bound.
public struct UDPSocketOptions: Hashable, Sendable {
    /// Whether several sockets may share the address, the kernel choosing among them by the sender's address.
    public var sharesPort: Bool
    /// Bytes the kernel may hold unread; the system's default if nil, and cut to its limit.
    public var receiveBufferBytes: Int32?
    /// Bytes the kernel may hold unsent; the system's default if nil, and cut to its limit.
    public var sendBufferBytes: Int32?

    /// Whether the kernel may join datagrams of one sender that come in a row (UDP_GRO). Only for sockets that are read by a
    /// `DatagramReceiver` into slots of 65,536 bytes; a kernel that cannot is not asked twice.
    public var joinsDatagrams: Bool

    /// The system's own buffers and a port of one's own, unless said otherwise.
    public init(
        sharesPort: Bool = false,
        receiveBufferBytes: Int32? = nil,
        sendBufferBytes: Int32? = nil,
        joinsDatagrams: Bool = false
    ) {
        self.joinsDatagrams = joinsDatagrams
        self.sharesPort = sharesPort
        self.receiveBufferBytes = receiveBufferBytes
        self.sendBufferBytes = sendBufferBytes
    }
}

/// A bound, unconnected UDP socket: non-blocking, closed on exec, of one family only.
public struct UDPSocket: ~Copyable, Sendable {
    /// Owns the kernel's side of it.
    public let descriptor: OwnedDescriptor
    /// Where it is bound, with the port the kernel chose if 0 was asked for.
    public let endpoint: Endpoint

    /// Opens and binds a socket.
    ///
    /// Datagrams leave as RFC 8656 §13 and §14 have it for a relay that copies nothing from the packets it received: with
    /// the system's hop limit, DSCP and ECN zero as a new socket has them, DF clear. Those larger than the path leave in
    /// fragments instead of being refused, and the path's MTU is never probed: whoever sends through the socket cannot
    /// learn of either.
    public init(boundTo requested: Endpoint, options: UDPSocketOptions = UDPSocketOptions()) throws(SystemError) {
        let descriptor = OwnedDescriptor(
            adopting: try packet_udp_socket(requested.address.codedFamily).get(.socket)
        )
        let number = descriptor.rawValue
        if requested.address.family == .ipv6 {
            try packet_set_option(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1).check(.setsockopt)
        }
        try packet_set_fragmenting(number, requested.address.codedFamily).check(.setsockopt)
        if let bytes = options.receiveBufferBytes {
            try packet_set_option(number, SOL_SOCKET, SO_RCVBUF, bytes).check(.setsockopt)
        }
        if let bytes = options.sendBufferBytes {
            try packet_set_option(number, SOL_SOCKET, SO_SNDBUF, bytes).check(.setsockopt)
        }
        if options.joinsDatagrams { Self.joinDatagrams(at: number) }
        if options.sharesPort {
            try packet_set_option(number, SOL_SOCKET, SO_REUSEPORT, 1).check(.setsockopt)
        }
        try packet_bind(number, requested.coded).check(.bind)
        let isChosenByKernel = requested.port == 0
        guard let endpoint = isChosenByKernel ? Endpoint(packet_local_endpoint(number)) : requested else {
            throw SystemError(.getsockname, code: EBADF)
        }
        self.descriptor = descriptor
        self.endpoint = endpoint
    }

    /// Has the kernel join datagrams at a socket from now on, as `UDPSocketOptions.joinsDatagrams` does from the start.
    public static func joinDatagrams(at descriptor: Int32) {
        // Without it every datagram comes by itself, which is all that is lost.
        _ = packet_set_joining(descriptor)
    }

    /// Gives up the socket for its descriptor, for whoever keeps many and knows where they are bound.
    public consuming func intoDescriptor() -> OwnedDescriptor { descriptor }

    /// Lets later sockets share the port of this one, which was bound alone.
    ///
    /// Bound alone means that nobody else had the address; sharing from the first moment on would join whoever has it.
    public func openToSiblings() throws(SystemError) {
        try packet_set_option(descriptor.rawValue, SOL_SOCKET, SO_REUSEPORT, 1).check(.setsockopt)
    }

    /// Bytes that the kernel lets the socket hold unread, of those that were asked for; nil if it does not say.
    public var receiveBufferBytes: Int32? {
        let result = packet_get_option(descriptor.rawValue, SOL_SOCKET, SO_RCVBUF)
        // The kernel doubles what it is asked for, to have room for its own records, and answers the double.
        return result.error == 0 ? result.value / 2 : nil
    }

    /// Throws away what is waiting to be read, at most `limit` datagrams, and says how many there were.
    @discardableResult
    public func discardWaiting(limit: Int) -> Int {
        var count = 0
        while count < limit, packet_discard_one(descriptor.rawValue).error == 0 { count += 1 }
        return count
    }
}
