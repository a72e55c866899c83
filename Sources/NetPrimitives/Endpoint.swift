/// An IP address and a UDP or TCP port: a transport address. Trivially copyable, 20 bytes.
public struct Endpoint: Hashable, Sendable, BitwiseCopyable {
    /// The address part.
    public let address: IPAddress
    /// The port in host order.
    public let port: UInt16

    /// Pairs an address with a port given in host order.
    @inlinable
    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}
