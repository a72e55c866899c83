import CPacketIO
public import NetPrimitives

/// A raw socket that hears the ICMP errors of one family which come to this host, whoever they concern, and sends nothing.
///
/// Needs CAP_NET_RAW. One for a whole process and family is enough, where an error queue (IP_RECVERR) would be one for
/// each socket, with payloads in it that nobody asked for.
public struct ICMPSocket: ~Copyable, Sendable {
    /// Owns the kernel's side of it.
    public let descriptor: OwnedDescriptor
    /// Whose errors it hears: over IPv4 with the IP header in front, over IPv6 without.
    public let family: IPAddress.Family

    /// Opens a socket that hears "destination unreachable", "time exceeded" and, over IPv6, "packet too big".
    ///
    /// - Parameter receiveBufferBytes: what the kernel may hold unread; what comes beyond that is lost.
    public init(_ family: IPAddress.Family, receiveBufferBytes: Int32) throws(SystemError) {
        let code: UInt8 = family == .ipv4 ? 4 : 6
        let descriptor = OwnedDescriptor(adopting: try packet_icmp_socket(code).get(.socket))
        try packet_icmp_hear_errors(descriptor.rawValue, code).check(.setsockopt)
        try packet_set_option(descriptor.rawValue, SOL_SOCKET, SO_RCVBUF, receiveBufferBytes).check(.setsockopt)
        self.descriptor = descriptor
        self.family = family
    }
}
